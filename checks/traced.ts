/** What dropped the probe's packets by the kernel's own account, where no rule that can be read tells. Pure. */

import { Program } from "../gateway/action.ts";
import { iptablesOf } from "../gateway/commands.ts";
import { LIMITS_TABLE } from "../gateway/names.ts";
import type { Side } from "../gateway/probe_points.ts";
import { see } from "../gateway/see.ts";
import type { CheckInput } from "./check.ts";
import { UP } from "./fix.ts";
import { type Loss, lossOf } from "./probe_loss.ts";
import type { Dropped, Through } from "./probe_result.ts";
import { placeOf } from "./probe_words.ts";
import type { Problem } from "./problem.ts";

/** A drop on the way through FORWARD, or in the hooks around it. Large packets are those of the check path-mtu. */
export function tracedProblems(input: CheckInput): Problem[] {
  const { probe, blueprint, survey } = input;
  const through = probe?.ran ? probe.through : undefined;
  const dropped = through?.dropped;
  if (!through || !dropped || dropped.flow === "large" || dropped.chain.startsWith("CRXN-")) return [];
  const loss = lossOf(through, dropped.flow);
  if (loss?.in !== "hook") return [];
  const uplink = blueprint.facts.uplink.name;
  const what = dropped.flow === "tcp" ? "TCP packets" : "packets";
  return [{
    found: `${what} to ${through.target} are lost ${placeOf(loss, through, survey, uplink).where}`,
    want: `${what} of the gateway passed`,
    ...(dropped.table === LIMITS_TABLE ? ownCure(input) : { fix: acceptBefore(dropped, loss, through, input) }),
    evidence: [{ command: [Program.nft, "monitor", "trace"], output: traceLine(dropped) }],
  }];
}

/** Of crxn's own limits: somebody has changed them, or they do what they are for. */
function ownCure({ blueprint, survey }: CheckInput): Pick<Problem, "want" | "fix"> {
  const intact = blueprint.items.every((item) => item.kind !== "table" || see(item, survey).is === "present");
  return intact
    ? { want: "fewer new clients of this network, or larger `nat64.limits` in crxn.yaml and `crxn up`" }
    : { want: `the table ${LIMITS_TABLE} as crxn made it`, fix: [UP] };
}

const traceLine = ({ table, chain, rule }: Dropped) =>
  `${table} ${chain} ${rule === undefined ? "policy drop" : `rule ${rule} (verdict drop)`}`;

/** In front of whatever drops it; a set or a map that has taken in a host in error is its owner's to mend. */
function acceptBefore(
  { table, chain }: Dropped,
  { side, hook }: Loss,
  through: Through,
  input: CheckInput,
): string[][] {
  const [family, name = ""] = table.split(" ");
  const [from, to] = devicesOf(side, through, input.blueprint.facts.uplink.name);
  const hooked = { in: hook !== "POSTROUTING", out: hook !== "PREROUTING" };
  const rules = family === "ip6" ? input.survey.rules.inet6 : family === "ip" ? input.survey.rules.inet : undefined;
  if (rules?.[name]?.[chain]) {
    const words = [...(hooked.in ? ["-i", from] : []), ...(hooked.out ? ["-o", to] : [])];
    return [[
      ...[iptablesOf(family === "ip6" ? "inet6" : "inet"), "-w"],
      ...(name === "filter" ? [] : ["-t", name]),
      ...["-I", chain, "1", ...words, "-j", "ACCEPT"],
    ]];
  }
  const words = [...(hooked.in ? ["iifname", from] : []), ...(hooked.out ? ["oifname", to] : [])];
  return [[Program.nft, "insert", "rule", family!, name, chain, ...words, "accept"]];
}

function devicesOf(side: Side, { translator, overlay }: Through, uplink: string): [from: string, to: string] {
  switch (side) {
    case "request6":
      return [uplink, translator];
    case "request4":
      return [translator, overlay];
    case "answer4":
      return [overlay, translator];
    case "answer6":
      return [translator, uplink];
  }
}
