/** Evidence: what the survey has of an item's place, as the command that shows it and what that says. */

import { Program } from "../gateway/action.ts";
import type { Family, Item } from "../gateway/item.ts";
import { canonicalNetwork } from "../gateway/networks.ts";
import { ruleLine } from "../gateway/rule.ts";
import { linkOf, type RouteSeen, type Survey } from "../gateway/survey.ts";
import type { Evidence } from "./check.ts";

export function evidenceOf(item: Item, survey: Survey): Evidence[] {
  switch (item.kind) {
    case "sysctl":
      return [sysctlEvidence(item.key, survey)];
    case "service":
    case "unwanted":
      return [unitEvidence(item.unit, survey)];
    case "route": {
      const to = canonicalNetwork(item.to);
      const lines = survey.routes.filter((r) => r.family === item.family && r.to === to).map(routeLine);
      const flag = item.family === "inet6" ? "-6" : "-4";
      return [{ command: [Program.ip, flag, "route", "show", "table", "all", item.to], output: lines.join("\n") }];
    }
    case "link":
      return [linkEvidence(item.name, survey)];
    case "address":
      return [linkEvidence(item.device, survey)];
    case "chain":
      return [chainEvidence(item.family, item.table, [item.from, item.chain], survey)];
    case "table":
      return [tableEvidence(item.name, survey)];
    default:
      return [];
  }
}

function tableEvidence(name: string, { native = [] }: Survey): Evidence {
  const chains = native.filter((c) => `${c.family} ${c.table}` === name);
  const lines = chains.map((c) =>
    `chain ${c.name}: ${c.rules.length} rules ${c.rules.find((r) => r.comment)?.comment ?? ""}`.trimEnd()
  );
  return { command: [Program.nft, "-t", "list", "table", ...name.split(" ")], output: lines.join("\n") };
}

export const sysctlEvidence = (key: string, survey: Survey): Evidence => ({
  command: [Program.sysctl, key],
  output: survey.sysctls[key] === undefined ? "" : `${key} = ${survey.sysctls[key]}`,
});

export function unitEvidence(unit: string, survey: Survey): Evidence {
  const seen = survey.units[unit];
  const values = seen
    ? {
      LoadState: seen.load,
      ActiveState: seen.active,
      SubState: seen.sub,
      UnitFileState: seen.enabled,
      NRestarts: seen.restarts,
      Result: seen.result,
    }
    : {};
  return {
    command: [Program.systemctl, "show", `--property=${Object.keys(values).join(",")}`, unit],
    output: Object.entries(values).map(([k, v]) => `${k}=${v}`).join("\n"),
  };
}

export const routeLine = (r: RouteSeen): string =>
  [
    ...(r.type === "unicast" ? [] : [r.type]),
    r.to,
    ...(r.via ? ["via", r.via] : []),
    ...(r.device ? ["dev", r.device] : []),
    ...(r.hops ?? []).flatMap((
      h,
    ) => ["nexthop", ...(h.via ? ["via", h.via] : []), ...(h.device ? ["dev", h.device] : [])]),
    ...(r.table === "main" ? [] : ["table", r.table]),
    "proto",
    r.protocol,
    "metric",
    r.metric,
  ].join(" ");

function linkEvidence(name: string, survey: Survey): Evidence {
  const link = linkOf(survey, name);
  const state = link && [
    `${name}: ${link.up ? "UP" : "DOWN"}${link.carrier ? "" : " NO-CARRIER"} mtu ${link.mtu} ${link.kind ?? ""}`
      .trimEnd(),
    ...link.addresses.map((a) => `    ${a.family} ${a.address} scope ${a.scope}`),
  ];
  return { command: [Program.ip, "-d", "address", "show", "dev", name], output: state?.join("\n") ?? "does not exist" };
}

/** Policies and rules of some chains, as iptables-save prints them. */
export function chainEvidence(family: Family, table: string, chains: string[], survey: Survey): Evidence {
  const seen = survey.rules[family]?.[table] ?? {};
  const lines = chains.flatMap((name) => {
    const chain = seen[name];
    return chain ? [`:${name} ${chain.policy ?? "-"}`, ...chain.rules.map((r) => `-A ${name} ${ruleLine(r)}`)] : [];
  });
  const command = family === "inet6" ? Program.ip6tablesSave : Program.iptablesSave;
  return { command: [command, "-t", table], output: lines.join("\n") };
}
