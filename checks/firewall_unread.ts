/** What of a machine's firewall could not be read, and why. Pure. */

import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import { NFT_FAMILY } from "../gateway/netfilter/nft.ts";
import type { CheckInput } from "./check.ts";
import type { Problem } from "./problem.ts";

const NAMES: Record<Family, string> = { inet: "IPv4", inet6: "IPv6" };

export function unreadProblems({ survey }: CheckInput): Problem[] {
  const why = survey.root ? "" : " (root only)";
  const unknown = (found: string): Problem => ({ found: found + why, verdict: "unknown" });
  const families = (["inet", "inet6"] as const).filter((family) => !survey.rules[family]);
  const lines = [
    ...families.map((family) => unknown(`the ${NAMES[family]} rules could not be read`)),
    ...(survey.nftables ? [] : [unknown("nftables could not be read")]),
  ];
  return [...lines, ...mixedProblems(survey)];
}

/** Nothing is dropped by it, but neither crxn nor anybody's iptables sees what is in such a table. */
function mixedProblems({ unreadable = [], native = [] }: CheckInput["survey"]): Problem[] {
  return unreadable.filter((table) => Object.values(NFT_FAMILY).some((f) => table === `${f} filter`)).map((table) => {
    const [family, name] = table.split(" ") as [string, string];
    const odd = native.filter((c) => c.family === family && c.table === name && !c.name.startsWith("CRXN-"));
    return {
      found: `iptables cannot list table ${table} any more: rules that only nft can make stand in it (chains: ${
        odd.map((c) => c.name).join(", ")
      })`,
      want: "such rules in a table of their own, made by nft",
      verdict: "warn",
      carries: true,
      fix: [[Program.nft, "-a", "list", "table", family, name]],
    } satisfies Problem;
  });
}
