/** The last lines of an `up` that changed something: what to try next, and what the far end has to know. */

import { commandLine, Program } from "../gateway/action.ts";
import { embed } from "../gateway/address.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { hostAt } from "../gateway/networks.ts";
import { addressFromKey } from "../gateway/yggdrasil_address.ts";

/** What to try next, and what the operator of the far end has to know. */
export function farewell(blueprint: Blueprint): string[] {
  const { config, facts } = blueprint;
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
  const own = config.address.split("/")[0]!;
  if (!identity || !tunnel || config.overlay.type !== "yggdrasil") {
    lines.push("", `The overlay must route ${own} to this machine.`);
    return lines;
  }
  lines.push(
    "",
    "The far end needs:",
    `  public key   ${identity.publicKey}`,
    `  address      ${identity.address}  (of this key; both sides must see the same)`,
    `  a route      ${own}/32 via this key`,
    `  a tunnel     ${tunnel.kind} (${tunnel.why})`,
  );
  const far = config.overlay.routes[0];
  if (far) lines.push("If it is made by hand:", ...byHand(tunnel.kind, identity.address, addressFromKey(far.via), own));
  return lines;
}

function byHand(kind: "ip6gre" | "vxlan", local: string, remote: string, own: string): string[] {
  const ends = ["local", remote, "remote", local];
  const add = kind === "vxlan"
    ? [Program.ip, "link", "add", "crxn0", "type", "vxlan", "id", "64", "dstport", "4789", ...ends]
    : [Program.ip, "link", "add", "crxn0", "type", "ip6gre", ...ends, "encaplimit", "none"];
  const commands = [
    add,
    [Program.ip, "link", "set", "crxn0", "mtu", "1500", "up"],
    [Program.ip, "route", "add", `${own}/32`, "dev", "crxn0"],
    [Program.sysctl, "-w", "net/ipv4/ip_forward=1"],
    ...(kind === "vxlan" ? [[Program.sysctl, "-w", "net/ipv4/conf/crxn0/proxy_arp=1"]] : []),
  ];
  return commands.map((argv) => `  ${commandLine(argv)}`);
}
