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

/** The 32 bits, or undefined. Character by character: of a large gateway some ten thousand texts are read. */
function parse4(text: string): number | undefined {
  let [value, octet, digits, octets] = [0, 0, 0, 0];
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (digits === 0 || ++octets > 4) return undefined;
      value = value * 256 + octet;
      octet = digits = 0;
      continue;
    }
    // No leading zeros: inet_aton(3) would read them as octal.
    if (code < ZERO || code > ZERO + 9 || (digits > 0 && octet === 0)) return undefined;
    octet = octet * 10 + code - ZERO;
    digits++;
    if (octet > 255) return undefined;
  }
  return octets === 4 ? value : undefined;
}

const [DOT, ZERO, SMALL_A] = [0x2e, 0x30, 0x61];

/** Numbers of 16 bits. */
function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const found: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i === parts.length - 1 && part.includes(".")) {
      const tail = parse4(part);
      if (tail === undefined) return undefined;
      found.push(tail >>> 16, tail & 0xffff);
      continue;
    }
    const group = parse16(part);
    if (group === undefined) return undefined;
    found.push(group);
  }
  return found;
}

/** Up to four hexadecimal digits; character by character as above. */
function parse16(text: string): number | undefined {
  if (text.length === 0 || text.length > 4) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // Small letters differ from large ones in one bit.
    const letter = (code | 0x20) - SMALL_A;
    if (code >= ZERO && code <= ZERO + 9) value = value * 16 + code - ZERO;
    else if (letter >= 0 && letter < 6) value = value * 16 + 10 + letter;
    else return undefined;
  }
  return value;
}

/** The 128 bits on their way from and to eight groups: one BigInt for each group would be slow. */
const bits = new DataView(new ArrayBuffer(16));

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
  for (let i = 0; i < 8; i++) bits.setUint16(2 * i, head[i] ?? tail[i - head.length - missing] ?? 0);
  return (bits.getBigUint64(0) << 64n) | bits.getBigUint64(8);
}

/** Reads an address in any spelling of RFC 4291 2.2 or dotted decimal, without a zone; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const known = parsed.get(text);
  if (known) return known;
  const family: Family = text.includes(":") ? 6 : 4;
  const number = family === 6 ? parse6(text) : parse4(text);
  if (number === undefined) return undefined;
  if (parsed.size >= MOST) parsed.clear();
  const address: Address = { family, value: BigInt(number) };
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
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const tail = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(tail)) return undefined;
  const address = parseAddress(text.slice(0, slash));
  if (!address || Number(tail) > width(address.family)) return undefined;
  const network: Network = { family: address.family, value: address.value, length: Number(tail) };
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
  if (family === 4) {
    const number = Number(value);
    return `${number >>> 24}.${number >>> 16 & 0xff}.${number >>> 8 & 0xff}.${number & 0xff}`;
  }
  bits.setBigUint64(0, value >> 64n);
  bits.setBigUint64(8, value);
  const parts = GROUPS.map((at) => bits.getUint16(at));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && parts[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (some: number[]) => some.map((part) => part.toString(16)).join(":");
  if (best.length < 2) return text(parts);
  return `${text(parts.slice(0, best.start))}::${text(parts.slice(best.start + best.length))}`;
}

/** Where the groups of an IPv6 address begin, in octets. */
const GROUPS = [0, 2, 4, 6, 8, 10, 12, 14];

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
  if (outer.length === 0) return true;
  if (outer.family === 4) return (Number(outer.value) ^ Number(inner.value)) >>> (32 - outer.length) === 0;
  const shift = BigInt(width(outer.family) - outer.length);
  return outer.value >> shift === inner.value >> shift;
}

/** Whether two networks share an address. */
export function overlaps(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a);
}
