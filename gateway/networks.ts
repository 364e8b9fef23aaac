/** Networks as text, in the one spelling in which they can be compared. */

import { formatAddress, formatNetwork, type Network, parseEither, parseNetwork } from "./cidr.ts";

/** `10.5.0.2` -> `10.5.0.2/32`, `2001:DB8::/32` -> `2001:db8::/32`; what is no network stays as it is. */
export function canonicalNetwork(text: string): string {
  const known = spelled.get(text);
  if (known !== undefined) return known;
  const parsed = parseEither(text);
  const canonical = parsed ? spelling(text, parsed) : text;
  if (spelled.size >= MOST) spelled.clear();
  spelled.set(text, canonical);
  return canonical;
}

/** Of IPv4 only one spelling can be read. */
function spelling(text: string, parsed: Network): string {
  if (parsed.family === 6) return formatNetwork(parsed);
  return text.includes("/") ? text : `${text}/32`;
}

/** The same some thousand are compared again and again. */
const spelled = new Map<string, string>();
const MOST = 20_000;

/** A host of the network: its first address, or the one behind it where that is the network's own. */
export const firstHost = (network: string): string => hostAt(network, /\/(3[12]|12[78])$/.test(network) ? 0 : 1);

/** The n-th address of a network: `hostAt("100.64.0.0/16", 1)` is `100.64.0.1`. */
export function hostAt(network: string, n: number): string {
  const parsed = parseNetwork(network);
  if (!parsed) throw new Error(`Not a network: "${network}"`);
  return formatAddress({ family: parsed.family, value: parsed.value + BigInt(n) });
}
