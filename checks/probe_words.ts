/** A loss in words: between which two devices, by whose doing. Pure. */

import { Program } from "../gateway/action.ts";
import type { Side } from "../gateway/probe_points.ts";
import { linkOf, type Survey } from "../gateway/survey.ts";
import type { Hop } from "./check.ts";
import { firewallOwner } from "./firewall_owner.ts";
import { ipsecPolicy } from "./probe_ipsec.ts";
import type { Loss } from "./probe_loss.ts";
import type { Dropped, Through } from "./probe_result.ts";
import { takenBy } from "./probe_taken.ts";

export interface Place {
  hop: Hop;
  where: string;
  /** What takes away what somebody has set, where it may be that. */
  cure?: string[][];
}

/** @param uplink the device by which clients come: the probe's own client stands for them */
export function placeOf(loss: Loss, through: Through, survey: Survey, uplink: string): Place {
  const between = betweenOf(loss.side, through, uplink);
  const { translator, overlay } = through;
  switch (loss.in) {
    case "client":
      return { hop: loss.hop, where: `at the probe's own client (${through.device})` };
    case "translator":
      return loss.side === "request4"
        ? withHindrance(
          { hop: loss.hop, where: `in the translator: packets went into ${translator}, none came out` },
          translator,
          survey,
        )
        : {
          hop: loss.hop,
          where: `on the way back, in the translator: answers went into ${translator}, none came out`,
        };
    case "beyond":
      return beyond(loss, through, survey);
    case "hook":
      return { hop: loss.hop, where: `${between}: ${hookText(loss, through, survey)}` };
    case "tunnel": {
      const under = through.tunnel!.device;
      const side = loss.hook === "OUTPUT"
        ? `between ${overlay} and ${under}`
        : `on the way back, between ${under} and ${overlay}`;
      return { hop: loss.hop, where: `${side}: ${hookText(loss, through, survey)}` };
    }
    case "route":
      return route(loss, through, survey, between);
  }
}

function hookText(loss: Loss, { dropped }: Through, survey: Survey): string {
  if (dropped?.flow === loss.flow) return droppedText(dropped, survey);
  return `${loss.hook}, by a rule that nftables does not trace (iptables-legacy?)`;
}

function betweenOf(side: Side, { translator, overlay }: Through, uplink: string): string {
  switch (side) {
    case "request6":
      return `between ${uplink} and ${translator}`;
    case "request4":
      return `between ${translator} and ${overlay}`;
    case "answer4":
      return `on the way back, between ${overlay} and ${translator}`;
    case "answer6":
      return `on the way back, between ${translator} and ${uplink}`;
  }
}

const nextHops = ({ routes }: Survey, overlay: string): string[] =>
  routes.flatMap((r) => r.family === "inet" && r.device === overlay && r.via ? [r.via] : []);

/** ip-neighbour(8): "10.1.0.3 FAILED". */
const neighboursIn = (output: string, states: string): string[] =>
  [...output.matchAll(new RegExp(`^(\\S+) (?:.* )?(?:${states})\\b`, "gm"))].map((m) => m[1]!);

/**
 * Disciplines that somebody has set to hold packets back or to lose them; the others pass on what a device can send. Behind
 * the last chain of netfilter: what is lost there was counted as sent.
 */
const HOLDING = ["tbf", "netem", "htb", "hfsc", "plug", "red", "choke", "cbs", "etf", "taprio"];

/** What somebody has set on a device, so that what it counts as sent goes nowhere. It is not crxn's to take away. */
export function hindrance(device: string, survey: Survey): { why: string; cure: string[][] } | undefined {
  const link = linkOf(survey, device);
  if (link?.noArp) {
    return {
      why: `${device} asks for nobody's link address (ip link: NOARP)`,
      cure: [[Program.ip, "link", "set", "dev", device, "arp", "on"]],
    };
  }
  if (link?.qdisc === undefined || !HOLDING.includes(link.qdisc)) return undefined;
  return {
    why:
      `the queue of ${device} is held by tc(8) (${link.qdisc}), which may lose them: \`tc -s qdisc show dev ${device}\``,
    cure: [[Program.tc, "qdisc", "del", "dev", device, "root"]],
  };
}

function withHindrance({ hop, where }: Place, device: string, survey: Survey): Place {
  const found = hindrance(device, survey);
  if (!found) return { hop, where };
  return { hop: hop === "target" ? "overlay" : hop, where: `${where}; ${found.why}`, cure: found.cure };
}

function beyond(loss: Loss, through: Through, survey: Survey): Place {
  const hops = nextHops(survey, through.overlay);
  const { overlay } = through;
  if ((through.counts?.[loss.flow]?.["a4-elsewhere"] ?? 0) > 0) {
    return { hop: "target", where: `on the way back: answers come in by another device than ${overlay}` };
  }
  const there = (states: string) =>
    neighboursIn(through.route?.output ?? "", states).find((a) => a === through.target || hops.includes(a));
  // INCOMPLETE: it is still being asked for.
  const asked = there("FAILED|INCOMPLETE");
  if (asked) return { hop: "overlay", where: `beyond ${overlay}: no neighbour there answers for ${asked}` };
  const error = through.flows[loss.flow]?.error;
  const answer = error ? `but an error: ${error}` : "no answer came back";
  const fixed = error ? undefined : there("PERMANENT");
  if (fixed) {
    const why = `the link address of ${fixed} is fixed by hand (ip neigh: PERMANENT), maybe to a wrong one`;
    return { hop: "overlay", where: `beyond ${overlay}: packets left, ${answer}; ${why}` };
  }
  return withHindrance({ hop: "target", where: `beyond ${overlay}: packets left, ${answer}` }, overlay, survey);
}

/** "ip filter FORWARD, policy DROP, set by ufw" */
export function droppedText({ table, chain, rule }: Dropped, survey: Survey): string {
  const owner = ownerOf(table, chain, survey);
  const by = owner ? `, set by ${owner}` : "";
  return `${table} ${chain}, ${rule === undefined ? "policy DROP" : `rule "${rule}"`}${by}`;
}

function ownerOf(table: string, chain: string, { rules }: Survey): string | undefined {
  if (chain.startsWith("CRXN-")) return "crxn";
  const [family, name = ""] = table.split(" ");
  if (/firewalld/.test(name)) return "firewalld";
  if (/docker/i.test(name)) return "Docker";
  const chains = rules[family === "ip6" ? "inet6" : "inet"]?.[name];
  return (family === "ip" || family === "ip6") && chains ? firewallOwner(chains) : undefined;
}

/** Errors of `ip route get`, as the kernel means them. */
const ERRORS: [RegExp, string][] = [
  [/cross-device link/, "the kernel refuses their source on that device (rp_filter)"],
  [
    /No route to host|Permission denied/,
    "the kernel refuses to forward them (an unreachable or prohibit route, or forwarding)",
  ],
  [/Invalid argument/, "a blackhole route takes them"],
  [/Network is unreachable/, "there is no route for them"],
];

function route(loss: Loss, through: Through, survey: Survey, between: string): Place {
  const { route, counts, translator, overlay, device } = through;
  const six = loss.side === "request6" || loss.side === "answer6";
  const off = six ? forwardsNot(survey, "net/ipv6/conf/all/forwarding") : forwardsNot(survey, "net/ipv4/ip_forward");
  if (off) return { hop: "forward", where: `${between}: routing, ${off}` };
  const seen = counts?.[loss.flow] ?? {};
  const at = (what: string) => (seen[`${PREFIX[loss.side]}-${what}`] ?? 0) > 0;
  const to = /\bdev (\S+)/.exec(route?.output ?? "")?.[1];
  const wanted = { request6: translator, request4: overlay, answer4: translator, answer6: device }[loss.side];
  const place = (why: string): Place => ({ hop: loss.hop, where: `${between}: routing, ${why}` });
  if (at("local")) {
    const nat = loss.side === "answer4" ? ": nothing gives them the pool's address back (nat)" : "";
    const taken = takenBy(loss, through, survey);
    const found = place(`packets are taken for the machine's own${nat}${taken ? `: ${taken.why}` : ""}`);
    return taken?.cure ? { ...found, cure: taken.cure } : found;
  }
  const error = ERRORS.find(([pattern]) => pattern.test(route?.output ?? ""))?.[1];
  if (error) return place(error);
  if (to && to !== wanted) return place(`they are sent to ${to}${tableOf(route!.output)}`);
  if (at("astray")) return place("they are sent to another device");
  // One for certain protocols is not judged, and may be it.
  const causes = through.ipsec
    ? "a martian source, a rule of the routing policy, or an IPsec policy: ip xfrm policy"
    : "a martian source, or a rule of the routing policy";
  return place(ipsecPolicy(through) ?? `the kernel drops them before FORWARD (${causes})`);
}

const PREFIX: Record<Side, string> = { request6: "q6", request4: "q4", answer4: "a4", answer6: "a6" };
const tableOf = (output: string) => {
  const table = /\btable (\S+)/.exec(output)?.[1];
  return table ? ` by table ${table}` : "";
};

const forwardsNot = ({ sysctls }: Survey, key: string): string | undefined =>
  sysctls[key] === "0" ? `${key.replaceAll("/", ".")} is 0` : undefined;
