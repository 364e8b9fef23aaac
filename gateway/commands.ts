/** The commands of each item: what makes it now, what makes it at boot, what removes it. Pure. */

import { type Action, Program, run } from "./action.ts";
import type { AddressItem, ChainItem, Family, Item, LinkItem, RouteItem } from "./item.ts";
import { OWN_PROTOCOL } from "./names.ts";
import type { RouteSeen } from "./survey.ts";

const { ip } = Program;
/** As ip(8) has it. */
export const familyFlag = (family: Family) => family === "inet6" ? "-6" : "-4";

export const iptablesOf = (family: Family) => family === "inet6" ? Program.ip6tables : Program.iptables;
export const restoreOf = (family: Family) => family === "inet6" ? Program.ip6tablesRestore : Program.iptablesRestore;

/** What `ip route` calls this route: all that tells it from others, and what it does. ip-route(8). */
function routeWords(item: RouteItem): string[] {
  const words = item.type === "unicast" ? [item.to] : [item.type, item.to];
  if (item.via) words.push("via", item.via);
  if (item.device) words.push("dev", item.device);
  // The machine's own address is a /32: it makes no next hop a neighbour.
  if (item.via) words.push("onlink");
  if (item.metric !== undefined) words.push("metric", String(item.metric));
  const hops = (item.hops ?? []).flatMap(({ via, device }) => ["nexthop", ...(via ? ["via", via] : []), "dev", device]);
  return [...words, "proto", OWN_PROTOCOL, ...hops];
}

/** Prints the route that the kernel would not tell from this one, on the same device, if there is one. */
export function routeQuestion(item: RouteItem): string[] {
  const [device, via] = [item.device ? ["dev", item.device] : [], item.via ? ["via", item.via] : []];
  return [
    ip,
    familyFlag(item.family),
    "route",
    "show",
    "exact",
    item.to,
    ...via,
    ...device,
    "metric",
    String(item.metric ?? 0),
  ];
}

function addLink(item: LinkItem): string[] {
  const { name, spec } = item;
  switch (spec.type) {
    case "tun":
      return [ip, "tuntap", "add", "dev", name, "mode", "tun", ...(spec.user ? ["user", spec.user] : [])];
    case "translator":
      // tayga's own call: it reads the device's name from its config and checks the whole file on the way.
      return [Program.tayga, "--mktun", "--config", spec.config];
    case "vxlan":
      // dev ties the outer packets to the underlay: while it is down they go nowhere, not out by the uplink.
      // deno-fmt-ignore
      return [ip, "link", "add", name, "address", spec.mac, "type", "vxlan", "id", String(spec.vni), "local", spec.local, "remote", spec.remote,
        "dstport", String(spec.port), "dev", spec.underlay];
    case "ip6gre":
      // deno-fmt-ignore
      return [ip, "link", "add", name, "type", "ip6gre", "local", spec.local, "remote", spec.remote, "encaplimit", "none",
        "dev", spec.underlay];
  }
}

/** The settings of a device that are not part of its creation; each may be given again at any time. */
function tuneLink(item: LinkItem): string[][] {
  const { name, spec } = item;
  const set = [ip, "link", "set", "dev", name];
  switch (spec.type) {
    case "tun":
      return [[...set, "mtu", String(spec.mtu), "up"]];
    case "translator":
      return [[...set, "up"]];
    case "vxlan":
    case "ip6gre":
      // No IPv6 inside: the far end gets no link-local way to this machine.
      return [[...set, "addrgenmode", "none"], [...set, "mtu", String(spec.mtu), "up"]];
  }
}

const addressCommand = (item: AddressItem, verb: string) => [ip, "address", verb, item.address, "dev", item.device];

/** One transaction: the chain emptied and filled again and, unless it is there, the jump to it. */
export function chainTransaction(item: ChainItem, jump: boolean): string {
  return [
    `*${item.table}`,
    `:${item.chain} - [0:0]`,
    ...item.rules.map((rule) => `-A ${item.chain} ${rule.join(" ")}`),
    ...(jump ? [`-I ${item.from} 1 ${jumpRule(item).join(" ")}`] : []),
    "COMMIT",
    "",
  ].join("\n");
}

export const jumpRule = ({ chain }: Pick<ChainItem, "chain">): string[] => [
  ...["-m", "comment", "--comment", "crxn:jump"],
  ...["-j", chain],
];

export const restoreArgv = (family: Family): string[] => [restoreOf(family), "-w", "-n"];

/** What makes the item, on a machine that lacks it. Files, services and packages are the business of `compare.ts`. */
export function makeCommands(item: Item, jump = true): Action[] {
  switch (item.kind) {
    case "sysctl":
      return [run([Program.sysctl, "-q", "-w", `${item.key}=${item.value}`])];
    case "link":
      return [run(addLink(item)), ...tuneLink(item).map((argv) => run(argv))];
    case "address":
      return [run(addressCommand(item, "replace"))];
    case "route":
      return [run([ip, familyFlag(item.family), "route", "replace", ...routeWords(item)])];
    case "chain":
      return [run(restoreArgv(item.family), { stdin: chainTransaction(item, jump) })];
    case "table":
      return [run([Program.nft, "-f", "-"], { stdin: item.text })];
    case "file":
      return [{
        do: "write",
        path: item.path,
        content: item.content,
        mode: item.mode,
        ...(item.group ? { group: item.group } : {}),
      }];
    case "service":
    case "package":
    case "program":
    case "unwanted":
      return [];
  }
}

/** What removes it. The caller has looked: it is there, and (for a chain) how many jumps to it. */
export function removeCommands(item: Item, jumps = 1): Action[] {
  switch (item.kind) {
    case "link":
      return [run([ip, "link", "del", "dev", item.name])];
    case "address":
      return [run(addressCommand(item, "del"))];
    case "chain":
      return [run(restoreArgv(item.family), {
        stdin: [
          `*${item.table}`,
          ...Array(jumps).fill(`-D ${item.from} ${jumpRule(item).join(" ")}`),
          `-F ${item.chain}`,
          `-X ${item.chain}`,
          "COMMIT",
          "",
        ].join("\n"),
      })];
    case "table":
      return [run([Program.nft, "delete", "table", ...item.name.split(" ")])];
    default:
      return [];
  }
}

/** What removes a route of ours as it was seen. */
export function removeRoute({ family, to, type, device, via, metric }: RouteSeen): Action {
  const words = type === "unicast" ? [to] : [type, to];
  if (via) words.push("via", via);
  if (device && type === "unicast") words.push("dev", device);
  if (metric > 0) words.push("metric", String(metric));
  return run([ip, familyFlag(family), "route", "del", ...words, "proto", OWN_PROTOCOL]);
}

/** A line of a unit: ExecStart's value. `mayFail` becomes the `-` in front, for what is an error only the second time. */
export interface UnitCommand {
  argv: string[];
  mayFail?: boolean;
}

/** The CPUs that share memory with the first one, as a mask: sysfs-devices-node of the kernel's ABI. */
const NEAR_CPUS = "/sys/devices/system/node/node0/cpumap";

/**
 * What a device receives goes on over several CPUs, each flow over one (RPS: scaling.rst of the kernel). A translator is one
 * thread, and without it all that the kernel does with a packet that tayga writes, until it has left the machine, is done in that
 * thread. Containers may have nothing to write to: then all is as before.
 */
export const steerCommand = (device: string): UnitCommand => ({
  argv: [Program.cp, NEAR_CPUS, `/sys/class/net/${device}/queues/rx-0/rps_cpus`],
  mayFail: true,
});

/**
 * What makes the item at boot. Every line can run again at any time without harm.
 * @param held whether a daemon may have a translator's device open by then: tayga refuses to make that
 */
export function bootCommands(item: Item, held = false): UnitCommand[] {
  switch (item.kind) {
    case "sysctl":
      // One of an interface that is not there yet is set by sysctl.d when it comes.
      return [{ argv: [Program.sysctl, "-q", "-w", `${item.key}=${item.value}`], mayFail: item.device === undefined }];
    case "link":
      // `ip link add` of a device that exists fails; the next line fails if it does not exist.
      return [
        { argv: addLink(item), mayFail: held || item.spec.type !== "translator" },
        ...tuneLink(item).map((argv) => ({ argv })),
      ];
    case "address":
    case "route":
      return makeCommands(item).flatMap((a) => a.do === "run" ? [{ argv: a.argv }] : []);
    default:
      return [];
  }
}
