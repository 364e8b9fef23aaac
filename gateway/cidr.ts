/** IPv4 and IPv6 addresses and networks as numbers: no dependency, nothing of the machine. */

export type Family = 4 | 6;

/** An address of `family`; `value` is its 32 or 128 bits as one number. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** An address with a prefix length (bits). Its host part may be set: see `hostBits`. */
export interface Network extends Address {
  readonly length: number;
}

/** The lengths, in bits, that RFC 6052 2.2 allows for a NAT64 prefix. */
export const PREFIX_LENGTHS: readonly number[] = [32, 40, 48, 56, 64, 96];

/** Bits 64 to 71 of an IPv6 address, which RFC 6052 2.2 keeps zero ("u"). */
export const U_OCTET = 0xffn << 56n;

/** The number of bits of an address: 32 or 128. */
export function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

function parse4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  // BigInt only once: it is slow.
  let value = 0;
  for (const octet of octets) {
    // No leading zeros: inet_aton(3) would read them as octal.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return BigInt(value);
}

function groups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const found: bigint[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes(".")) {
      const tail = parse4(part);
      if (tail === undefined) return undefined;
      found.push(tail >> 16n, tail & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return found;
}

function parse6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || text.length > 45) return undefined;
  // An IPv4 tail ends the address, so it cannot stand before a "::".
  if (halves.length === 2 && halves[0]!.includes(".")) return undefined;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array(missing).fill(0n), ...tail].reduce((value, group) => (value << 16n) | group, 0n);
}

/** Reads an address in any spelling of RFC 4291 2.2 or dotted decimal, without a zone; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const known = parsed.get(text);
  if (known) return known;
  const family: Family = text.includes(":") ? 6 : 4;
  const value = family === 6 ? parse6(text) : parse4(text);
  if (value === undefined) return undefined;
  if (parsed.size >= MOST) parsed.clear();
  const address = Object.freeze({ family, value });
  parsed.set(text, address);
  return address;
}

/** Of one machine the same addresses are read again and again, those of some thousand routes at most. */
const parsed = new Map<string, Address>();
const networks = new Map<string, Network>();
const MOST = 20_000;

/** Reads "ADDRESS/LENGTH", host part set or not; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const known = networks.get(text);
  if (known) return known;
  const [head, tail, ...rest] = text.split("/");
  if (tail === undefined || rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(tail)) return undefined;
  const address = parseAddress(head!);
  if (!address || Number(tail) > width(address.family)) return undefined;
  const network = Object.freeze({ ...address, length: Number(tail) });
  if (networks.size >= MOST) networks.clear();
  networks.set(text, network);
  return network;
}

/** An address counts as the network of itself. */
export function parseEither(text: string): Network | undefined {
  if (text.includes("/")) return parseNetwork(text);
  const address = parseAddress(text);
  return address && host(address);
}

/**
 * Like `parseNetwork` for text that is already known to be good.
 * @throws TypeError that quotes the text
 */
export function network(text: string): Network {
  const found = parseNetwork(text);
  if (!found) throw new TypeError(`Cannot parse network ${JSON.stringify(text)}: want ADDRESS/LENGTH`);
  return found;
}

/** The network of one address: /32 or /128. */
export function host(address: Address): Network {
  return { family: address.family, value: address.value, length: width(address.family) };
}

/** The canonical text of an address: dotted decimal, or RFC 5952 (lower case, the first longest run of zeros as "::"). */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const parts = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && parts[start + length] === 0n) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (some: bigint[]) => some.map((part) => part.toString(16)).join(":");
  if (best.length < 2) return text(parts);
  return `${text(parts.slice(0, best.start))}::${text(parts.slice(best.start + best.length))}`;
}

/** The canonical text of an address with its length; the host part stays. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.length}`;
}

function hostMask({ family, length }: Network): bigint {
  return (1n << BigInt(width(family) - length)) - 1n;
}

/** The part of the address behind the prefix; 0n for a clean network. */
export function hostBits(network: Network): bigint {
  return network.value & hostMask(network);
}

/** The same network with its host part cleared. */
export function clearHostBits(network: Network): Network {
  return { ...network, value: network.value - hostBits(network) };
}

/** The last address of a network: for IPv4 its broadcast address. */
export function lastAddress(network: Network): Address {
  return { family: network.family, value: network.value | hostMask(network) };
}

/** Whether all of `inner` lies inside `outer`. Host parts do not count; families never contain each other. */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || inner.length < outer.length) return false;
  const shift = BigInt(width(outer.family) - outer.length);
  return outer.value >> shift === inner.value >> shift;
}

/** Whether two networks share an address. */
export function overlaps(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a);
}
