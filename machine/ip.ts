/** ip(8): links, addresses and routes, from its JSON. The parsers are pure; what they do not know they leave out. */

import { parseNetwork } from "../gateway/cidr.ts";
import { canonicalNetwork } from "../gateway/networks.ts";
import type { Family } from "../gateway/item.ts";
import type { Link, RouteSeen } from "../gateway/survey.ts";
import { SURVEY } from "./always.ts";
import type { Runner } from "./run.ts";

export type Json = Record<string, unknown>;

export const objects = (text: string): Json[] => {
  const value: unknown = JSON.parse(text.trim() || "[]");
  // `ip -j` prints an empty object for what a filter left out.
  return Array.isArray(value) ? value.filter((v): v is Json => typeof v === "object" && v !== null) : [];
};
export const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined;
const count = (value: unknown): number => typeof value === "number" ? value : 0;
export const object = (value: unknown): Json => typeof value === "object" && value !== null ? value as Json : {};

/** `ip -j -d -s address show`. */
export function parseLinks(output: string): Link[] {
  return objects(output).filter((o) => text(o["ifname"])).map((o) => {
    const flags = Array.isArray(o["flags"]) ? o["flags"] as string[] : [];
    const info = object(o["linkinfo"]);
    const stats = object(o["stats64"]);
    const counters = (side: Json) => ({
      packets: count(side["packets"]),
      bytes: count(side["bytes"]),
      dropped: count(side["dropped"]),
    });
    const addresses = Array.isArray(o["addr_info"]) ? o["addr_info"].map(object) : [];
    return {
      name: text(o["ifname"])!,
      up: flags.includes("UP"),
      carrier: !flags.includes("NO-CARRIER"),
      mtu: count(o["mtu"]),
      ...(text(o["master"]) ? { master: text(o["master"])! } : {}),
      ...(text(info["info_kind"]) ? { kind: text(info["info_kind"])! } : {}),
      ...(o["link_type"] === "ether" && flags.includes("NOARP") ? { noArp: true as const } : {}),
      ...(text(o["qdisc"]) ? { qdisc: text(o["qdisc"])! } : {}),
      // ip(8) leaves out what is 0.
      queue: count(o["txqlen"]),
      data: object(info["info_data"]),
      addresses: addresses.filter((a) => text(a["local"])).map((a) => ({
        address: `${text(a["local"])}/${count(a["prefixlen"])}`,
        family: a["family"] === "inet6" ? "inet6" as const : "inet" as const,
        scope: text(a["scope"]) ?? "global",
        dynamic: a["dynamic"] === true,
      })),
      rx: counters(object(stats["rx"])),
      tx: counters(object(stats["tx"])),
    };
  });
}

/** Whether a text is a network of that family. */
export const isReadable = (to: string, family: Family): boolean =>
  parseNetwork(to)?.family === (family === "inet6" ? 6 : 4);

/** `ip -j -4|-6 route show table all`. */
export function parseRoutes(output: string, family: Family): RouteSeen[] {
  const isNetwork = (value: unknown, otherwise: string) =>
    value === undefined || value === otherwise || isReadable(canonicalNetwork(String(value)), family);
  return objects(output).filter((o) => text(o["dst"]) && isNetwork(o["dst"], "default") && isNetwork(o["from"], "all"))
    .map((o) => {
      const to = text(o["dst"])!;
      return {
        family,
        to: to === "default" ? to : canonicalNetwork(to),
        type: text(o["type"]) ?? "unicast",
        ...hopOf(o),
        table: text(o["table"]) ?? "main",
        protocol: text(o["protocol"]) ?? "boot",
        metric: count(o["metric"]),
        ...more(o),
      };
    });
}

function hopOf(o: Json): { device?: string; via?: string } {
  const device = text(o["dev"]);
  const via = text(o["gateway"]) ?? text(object(o["via"])["host"]);
  return { ...(device ? { device } : {}), ...(via ? { via } : {}) };
}

/** What few routes have; of a thousand most have nothing of it but an empty list of flags. */
function more(o: Json): Partial<RouteSeen> {
  const found: Partial<RouteSeen> = {};
  const list = (value: unknown): unknown[] => Array.isArray(value) ? value : [];
  const [from, prefsrc] = [text(o["from"]), text(o["prefsrc"])];
  if (from) found.from = canonicalNetwork(from);
  if (prefsrc) found.prefsrc = prefsrc;
  if (count(o["nhid"])) found.nhid = count(o["nhid"]);
  if ("metrics" in o) {
    const metrics = object(list(o["metrics"])[0]);
    if (count(metrics["mtu"])) found.mtu = count(metrics["mtu"]);
    if (count(metrics["advmss"])) found.advmss = count(metrics["advmss"]);
  }
  const flags = list(o["flags"]).filter((f): f is string => typeof f === "string");
  if (flags.length > 0) found.flags = flags;
  const hops = list(o["nexthops"]).map((hop) => hopOf(object(hop)));
  if (hops.length > 0) found.hops = hops;
  return found;
}

export async function readLinks(runner: Runner): Promise<Link[]> {
  const { code, stdout } = await runner.run(SURVEY.links);
  if (code !== 0) throw new Error("ip address show failed");
  return parseLinks(stdout);
}

export async function readRoutes(runner: Runner, family: Family): Promise<RouteSeen[]> {
  const { code, stdout } = await runner.run(SURVEY.routes[family]);
  if (code === 0) return parseRoutes(stdout, family);
  // 2: a kernel without this family.
  if (code === 2) return [];
  throw new Error("ip route show failed");
}
