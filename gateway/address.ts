/** Where an overlay address appears in IPv6, and back: RFC 6052. */
import {
  type Address,
  clearHostBits,
  contains,
  formatAddress,
  formatNetwork,
  host,
  hostBits,
  type Network,
} from "./cidr.ts";
import { parseAddress, parseNetwork, PREFIX_LENGTHS, U_OCTET } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";

function bad(what: string, value: string, why: string, remedy: string): CrxnError {
  return new CrxnError(Exit.usage, `Cannot read ${what} ${JSON.stringify(value)}: ${why}`, remedy);
}

function prefixOf(text: string): Network {
  const prefix = parseNetwork(text);
  if (prefix?.family !== 6) throw bad("prefix", text, "not an IPv6 network", "Write it like 2001:db8:64::/96.");
  if (!PREFIX_LENGTHS.includes(prefix.length)) {
    throw bad("prefix", text, `RFC 6052 has no /${prefix.length}`, `Use one of /${PREFIX_LENGTHS.join(" /")}.`);
  }
  if (hostBits(prefix) !== 0n) {
    throw bad("prefix", text, "host bits are set", `Write ${formatNetwork(clearHostBits(prefix))}.`);
  }
  if (prefix.value & U_OCTET) {
    throw bad("prefix", text, "bits 64 to 71 are not zero", "Choose another /96 (RFC 6052 2.2).");
  }
  return prefix;
}

function addressOf(text: string, family: 4 | 6): Address {
  const address = parseAddress(text);
  if (address?.family === family) return address;
  throw bad(
    "address",
    text,
    `not an IPv${family} address`,
    `Write it like ${family === 4 ? "10.1.0.3" : "2001:db8:64::a01:3"}.`,
  );
}

/**
 * The IPv6 address under which an IPv4 host is reached (RFC 6052 2.2).
 * @param prefix IPv6 network of length 32, 40, 48, 56, 64 or 96
 * @returns canonical text (RFC 5952)
 * @throws CrxnError (64) that quotes what cannot be read
 */
export function embed(prefix: string, ipv4: string): string {
  const { value, length } = prefixOf(prefix);
  return formatAddress({ family: 6, value: value | spread(addressOf(ipv4, 4).value, length) });
}

/** The same for many addresses: the prefix is read once. @throws CrxnError (64) that quotes the prefix */
export function embedder(prefix: string): (ipv4: Address) => Address {
  const { value, length } = prefixOf(prefix);
  return (ipv4) => ({ family: 6, value: value | spread(ipv4.value, length) });
}

/** The 32 bits of an IPv4 address behind a prefix of that length, around bits 64 to 71. */
function spread(ipv4: bigint, length: number): bigint {
  if (length === 96) return ipv4;
  const after = BigInt(length - 32);
  return (ipv4 >> after << 64n) | ((ipv4 & ((1n << after) - 1n)) << (56n - after));
}

/** The way back. */
function gather(ipv6: bigint, length: number): bigint {
  if (length === 96) return ipv6 & 0xffffffffn;
  const after = BigInt(length - 32);
  return (((ipv6 >> 64n) << after) & 0xffffffffn) | ((ipv6 >> (56n - after)) & ((1n << after) - 1n));
}

/**
 * The IPv4 address inside an IPv6 one (RFC 6052 2.3).
 * @throws CrxnError (64) when the address lies outside the prefix, or has bits set that tayga drops (bits 64 to 71, the suffix)
 */
export function extract(prefix: string, ipv6: string): string {
  const network = prefixOf(prefix);
  const address = addressOf(ipv6, 6);
  const text = formatAddress(address);
  if (!contains(network, host(address))) {
    throw bad("address", ipv6, `it is not inside ${formatNetwork(network)}`, "Take an address inside the prefix.");
  }
  const found = formatAddress({ family: 4, value: gather(address.value, network.length) });
  if (embed(prefix, found) !== text) {
    throw bad("address", ipv6, "bits that RFC 6052 keeps zero are set", `${found} itself is ${embed(prefix, found)}.`);
  }
  return found;
}

/**
 * The smallest IPv6 network that holds every address of an IPv4 network: 2001:db8::/96 and 10.0.0.0/8 give 2001:db8::a00:0/104.
 * Where the IPv4 bits run past bit 64 the length counts the zero octet between (RFC 6052 2.2).
 * @throws CrxnError (64) that quotes what cannot be read
 */
export function slice(prefix: string, ipv4Network: string): string {
  const key = `${prefix} ${ipv4Network}`;
  const known = slices.get(key);
  if (known !== undefined) return known;
  const found = sliceOf(prefix, ipv4Network);
  if (slices.size < MOST) slices.set(key, found);
  return found;
}

/** Routes and rules name the same thousand. */
const slices = new Map<string, string>();
const MOST = 10_000;

function sliceOf(prefix: string, ipv4Network: string): string {
  const outer = prefixOf(prefix);
  const inner = parseNetwork(ipv4Network);
  if (inner?.family !== 4) throw bad("network", ipv4Network, "not an IPv4 network", "Write it like 10.0.0.0/8.");
  if (hostBits(inner) !== 0n) {
    throw bad("network", ipv4Network, "host bits are set", `Write ${formatNetwork(clearHostBits(inner))}.`);
  }
  const end = outer.length + inner.length;
  const length = outer.length <= 64 && end > 64 ? end + 8 : end;
  return `${formatAddress({ family: 6, value: outer.value | spread(inner.value, outer.length) })}/${length}`;
}
