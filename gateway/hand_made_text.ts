/** The config of a gateway that was made by hand. Pure. */

import type { HandMade } from "./hand_made.ts";
import { scalar } from "./init/config_text.ts";

export function handMadeText(made: HandMade): string {
  const { addresses, prefix, routed, link, routes, pool, maps, instance, file } = made;
  const [first = ""] = addresses;
  return [
    `# The gateway that ${file} and the routes of this machine were found to be: \`crxn init --import\`.`,
    "# `crxn init --example` prints all keys, with what they are for.",
    "",
    "# This machine's own address in the overlay; clients appear under the first.",
    `address: ${addresses.length > 1 ? `[${addresses.join(", ")}]` : first}`,
    "# Where the overlay appears in IPv6.",
    `prefix: "${prefix}"`,
    ...(routed ? ["# What the provider routes to this machine.", `routed: "${routed}"`] : []),
    "",
    "overlay:",
    "  # The link is there already; whoever makes it goes on making it.",
    "  type: interface",
    `  interface: ${scalar(link)}`,
    "  routes:",
    ...routes.map(({ to, via }) => `    - {to: ${to}${via ? `, via: ${via}` : ""}}`),
    "  # What overlay hosts reach of this machine. Nothing kept them away so far; `ping` (crxn's default) or",
    "  # [tcp/22, udp/53] would let in no more than that.",
    "  access: all",
    "",
    "nat64:",
    `  instance: ${scalar(instance)}`,
    `  pool: ${pool}`,
    ...(maps.length > 0 ? ["  maps:", ...maps.map(({ ipv4, ipv6 }) => `    - {ipv4: ${ipv4}, ipv6: "${ipv6}"}`)] : []),
    "",
  ].join("\n");
}
