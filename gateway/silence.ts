/** Silence: what a survey could not read is not known to be missing. Pure. */

import type { Item } from "./item.ts";
import type { Survey } from "./survey.ts";

/** By which of the survey's questions an item is seen, where these are named in `unknown`. */
const SEEN_BY: Partial<Record<Item["kind"], string>> = {
  sysctl: "sysctls",
  service: "units",
  unwanted: "units",
  link: "links",
  address: "links",
  route: "routes",
};

/** What of a survey tells what was not answered. */
export type Heard = Pick<Survey, "unknown" | "packages" | "systemd" | "rules" | "legacy" | "nftables">;

/** Of the questions on which taking these back depends, those that got no answer, in words. */
export function silentFor(items: Item[], survey: Heard): string[] {
  const needed = new Set(items.flatMap(({ kind }) => SEEN_BY[kind] ?? []));
  if (items.length > 0) needed.add("packages");
  // Units are only there to be asked about where systemd runs.
  if (!survey.systemd) needed.delete("units");
  const silent = survey.unknown.filter((question) => needed.has(question.slice(0, question.indexOf(":"))));
  // A program that somebody has removed will never answer: then the rest is taken back, and what needs it says so.
  const isThere = (name: string) => survey.packages?.[name] !== undefined;
  // Of the rules of iptables-legacy nft knows nothing: only without any are they known to be gone.
  const isRead = isThere("iptables") ? undefined : survey.legacy;
  const unread = items.flatMap((item) =>
    item.kind === "chain" && !survey.rules[item.family] && !isRead
      ? [`rules: ${SAVE[item.family]} gives no answer`]
      : []
  );
  // Without nft it is not known either what else is in a table that iptables has made.
  const tables = items.some(({ kind }) => kind === "chain" || kind === "table") && !survey.nftables;
  return [...new Set([...silent, ...unread, ...(tables && isThere("nftables") ? ["rules: nft gives no answer"] : [])])];
}

const SAVE = { inet: "iptables-save", inet6: "ip6tables-save" };
