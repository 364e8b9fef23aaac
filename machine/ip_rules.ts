/** The routing policy, from ip-rule(8)'s JSON. The parser is pure. */

import { canonicalNetwork } from "../gateway/networks.ts";
import type { Family } from "../gateway/item.ts";
import type { PolicySeen } from "../gateway/survey.ts";
import { SURVEY } from "./always.ts";
import { isReadable, type Json, objects, text } from "./ip.ts";
import type { Runner } from "./run.ts";

/** What `ip route get` can be asked about as well. */
const ASKABLE = ["ipproto", "sport", "dport", "tos"];
/** What a rule may have that is read here, or that says nothing about the packet. */
const KNOWN = new Set([
  ...["priority", "not", "src", "srclen", "dst", "dstlen", "iif", "oif", "fwmark", "fwmask", "table", "action", "goto"],
  ...["nop", "l3mdev", "suppress_prefixlen", "protocol", "unresolved", "detached", "iif_detached", "oif_detached"],
  ...["sport_mask", "dport_mask", ...ASKABLE],
]);

/** `ip -j -4|-6 rule show`. */
export function parsePolicies(output: string, family: Family): PolicySeen[] {
  return objects(output).filter((o) => typeof o["priority"] === "number").map((o): PolicySeen => {
    const side = (address: string, length: string) => {
      const value = text(o[address]);
      if (value === undefined || value === "all") return undefined;
      return canonicalNetwork(typeof o[length] === "number" ? `${value}/${o[length]}` : value);
    };
    const sides = [side("src", "srclen"), side("dst", "dstlen")];
    const isOdd = sides.some((s) => s !== undefined && !isReadable(s, family));
    const [from, to] = isOdd ? [] : sides;
    const [iif, oif, table, mark] = [text(o["iif"]), text(o["oif"]), text(o["table"]), text(o["fwmark"])];
    const also = ASKABLE.flatMap((word) => o[word] === undefined ? [] : [word, String(o[word])]);
    return {
      family,
      priority: o["priority"] as number,
      ...("not" in o ? { not: true as const } : {}),
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
      ...(iif ? { iif } : {}),
      ...(oif ? { oif } : {}),
      ...(mark ? { mark: { value: Number(mark), mask: Number(text(o["fwmask"]) ?? 0xffffffff) } } : {}),
      ...(also.length > 0 ? { also } : {}),
      ...(isOdd || Object.keys(o).some((key) => !KNOWN.has(key)) ? { odd: true as const } : {}),
      action: actionOf(o),
      ...(table ? { table } : {}),
      ...(typeof o["goto"] === "number" ? { goto: o["goto"] } : {}),
      ...(typeof o["suppress_prefixlen"] === "number" ? { suppress: o["suppress_prefixlen"] } : {}),
    };
  });
}

function actionOf(o: Json): PolicySeen["action"] {
  const action = o["action"];
  if (action === "blackhole" || action === "prohibit" || action === "unreachable") return action;
  if ("goto" in o) return "goto";
  if ("l3mdev" in o) return "l3mdev";
  return "nop" in o || text(o["table"]) === undefined ? "nop" : "lookup";
}

/** @throws Error when ip(8) does not answer */
export async function readPolicies(runner: Runner): Promise<PolicySeen[]> {
  const read = async (family: Family) => {
    const { code, stdout } = await runner.run(SURVEY.policies[family]);
    if (code === 0) return parsePolicies(stdout, family);
    // 2: a kernel without this family, or without policy routing.
    if (code === 2) return [];
    throw new Error("ip rule show failed");
  };
  return (await Promise.all([read("inet"), read("inet6")])).flat();
}
