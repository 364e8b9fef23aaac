/** The last lines of an `up` that changed something: what to try next, and what the far ends have to know. */

import { commandLine, Program } from "../gateway/action.ts";
import { embed } from "../gateway/address.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { tunnelRouting } from "../gateway/capability.ts";
import { hostAt } from "../gateway/networks.ts";
import { localNetworks, ownAddresses } from "../gateway/overlay_nodes.ts";

/** What to try next, and what the operator of a far end has to know. */
export function farewell(blueprint: Blueprint): string[] {
  const { config, facts, nodes } = blueprint;
  const lines: string[] = [];
  const first = config.overlay.routes[0];
  if (config.prefix && first) {
    const example = hostAt(first.to, 1);
    lines.push(
      "",
      "Try it from any machine with IPv6:",
      `  ping ${embed(config.prefix, example)}     (${example} in the overlay; \`crxn address\` converts)`,
    );
  }
  const { identity, tunnel } = facts;
  const own = localNetworks(config) ?? ownAddresses(config).map((a) => `${a.split("/")[0]}/32`);
  if (!identity || !tunnel || config.overlay.type !== "yggdrasil") {
    lines.push("", `The overlay must route ${own.map((n) => n.replace("/32", "")).join(", ")} to this machine.`);
    return lines;
  }
  lines.push(
    "",
    `${nodes.length > 1 ? "The far ends need" : "The far end needs"}:`,
    `  public key   ${identity.publicKey}`,
    `  address      ${identity.address}  (of this key; both sides must see the same)`,
    `  a route      ${own.join(", ")} via this key`,
    `  a tunnel     ${tunnel.kind} (${tunnel.why})`,
  );
  for (const { key, address } of nodes) lines.push(`  it is        ${address}, by its key ${key.slice(0, 16)}...`);
  const [far] = nodes;
  if (!far) return lines;
  const byHand = tunnel.kind === "ckr"
    ? routingByHand(blueprint, own)
    : tunnelByHand(tunnel.kind, identity.address, far.address, own);
  return [...lines, "If it is made by hand:", ...byHand];
}

function tunnelByHand(kind: "ip6gre" | "vxlan", local: string, remote: string, own: string[]): string[] {
  const ends = ["local", remote, "remote", local];
  const add = kind === "vxlan"
    ? [Program.ip, "link", "add", "crxn0", "type", "vxlan", "id", "64", "dstport", "4789", ...ends]
    : [Program.ip, "link", "add", "crxn0", "type", "ip6gre", ...ends, "encaplimit", "none"];
  const commands = [
    add,
    [Program.ip, "link", "set", "crxn0", "mtu", "1500", "up"],
    ...own.map((network) => [Program.ip, "route", "add", network, "dev", "crxn0"]),
    [Program.sysctl, "-w", "net/ipv4/ip_forward=1"],
    ...(kind === "vxlan" ? [[Program.sysctl, "-w", "net/ipv4/conf/crxn0/proxy_arp=1"]] : []),
  ];
  return commands.map((argv) => `  ${commandLine(argv)}`);
}

/** In the schema of the daemon here; the far one may have another. */
function routingByHand({ config, facts }: Blueprint, own: string[]): string[] {
  const key = facts.identity!.publicKey;
  const section = tunnelRouting(facts.daemon?.ckr ?? [], own.map((to) => ({ to, via: key })), ["(its own networks)"]);
  return [
    "  in its yggdrasil.conf (for a daemon like the one here):",
    ...JSON.stringify({ TunnelRouting: section }, null, 2).split("\n").slice(1, -1).map((l) => `  ${l}`),
    ...own.map((network) => `  ${commandLine([Program.ip, "route", "add", network, "dev", config.overlay.interface])}`),
  ];
}
