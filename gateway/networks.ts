/** Networks as text, in the one spelling in which they can be compared. */

import {
  contains,
  formatAddress,
  formatNetwork,
  type Network,
  network,
  parseEither,
  parseNetwork,
  width,
} from "./cidr.ts";

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

/** Up to here each has its own, so that rules and routes read like the config. */
const FEW = 64;

/**
 * The same addresses in as few networks as can be (RFC 4632, 5.1): two halves of a larger one are that one, and what lies in
 * another is left out. Few stay as they are, in their order.
 * @param texts networks of one family without host bits
 */
export function aggregated(texts: string[]): string[] {
  if (texts.length <= FEW) return texts;
  const key = texts.join(" ");
  const known = fewer.get(key);
  if (known) return known;
  if (fewer.size >= 16) fewer.clear();
  const found = aggregate(texts);
  fewer.set(key, found);
  return found;
}

/** Rules and routes, and the checks of both, ask for the same. */
const fewer = new Map<string, string[]>();

function aggregate(texts: string[]): string[] {
  const sorted = texts.map(network).sort((a, b) =>
    a.value < b.value ? -1 : a.value > b.value ? 1 : a.length - b.length
  );
  const found: Network[] = [];
  for (let next of sorted) {
    if (found.length > 0 && contains(found.at(-1)!, next)) continue;
    for (let last = found.at(-1); last && areHalves(last, next); last = found.at(-1)) {
      found.pop();
      next = { ...last, length: last.length - 1 };
    }
    found.push(next);
  }
  return found.length < texts.length ? found.map(formatNetwork) : texts;
}

/** The lower and the upper half of one network. */
const areHalves = (a: Network, b: Network): boolean =>
  a.length === b.length && a.length > 0 && (a.value ^ b.value) === 1n << BigInt(width(a.family) - a.length);
