/** The address types of the config. Each reader gives canonical text or throws a Fault that says what would be right. */
import {
  clearHostBits,
  formatAddress,
  formatNetwork,
  host,
  hostBits,
  lastAddress,
  type Network,
  network,
} from "../cidr.ts";
import { overlaps, parseAddress, parseNetwork, PREFIX_LENGTHS, U_OCTET } from "../cidr.ts";
import { Fault } from "./problem.ts";
import { type Kind, kind } from "./values.ts";

/** With the ends of the network: to compare with them is all that most of some thousand addresses need. */
type Reserved = [range: { first: bigint; last: bigint; text: string }, name: string];
const reserved = (table: Record<string, string>): Reserved[] =>
  Object.entries(table).map(([text, name]) => [{ ...ends(network(text)), text }, name]);

const ends = (found: Network) => ({ first: found.value, last: lastAddress(found).value });

const RESERVED4 = reserved({
  "0.0.0.0/8": '"this host" (RFC 791)',
  "127.0.0.0/8": "loopback",
  "169.254.0.0/16": "link-local",
  "224.0.0.0/4": "multicast",
  "240.0.0.0/4": "reserved or broadcast",
});
const RESERVED6 = reserved({
  "::1/128": "loopback",
  "::/8": "reserved by RFC 4291",
  "200::/8": "yggdrasil's addresses",
  "fe80::/10": "link-local",
  "ff00::/8": "multicast",
});

function refuseReserved(found: Network, table: Reserved[], remedy: string): void {
  const { first, last } = ends(found);
  const hit = table.find(([range]) => range.first <= last && first <= range.last);
  if (hit) throw new Fault(`cannot be used: ${hit[0].text} is ${hit[1]}`, remedy);
}

// One set for both families, so that an address of the wrong family is called that.
const CHARS = /[0-9A-Fa-f:./]/;
const PATTERN4 = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}";
const PATTERN6 = "^[0-9A-Fa-f:.]+";

/** A network in canonical text, its host bits clear. */
function readNetwork(text: string, family: 4 | 6, noun: string, example: string): Network {
  const bare = parseAddress(text);
  if (bare?.family === family) {
    throw new Fault(`has no prefix length`, `write ${formatNetwork(host(bare))} for this one address, or ${example}`);
  }
  const found = parseNetwork(text);
  if (!found) throw new Fault(`is not ${noun}`, `write it like ${example}`);
  if (found.family !== family) throw new Fault(`is IPv${found.family}, not ${noun}`, `write it like ${example}`);
  if (hostBits(found) !== 0n) {
    throw new Fault(`has host bits set`, `the network is ${formatNetwork(clearHostBits(found))}`);
  }
  return found;
}

/** Of IPv4 only the canonical spelling can be read. */
function networkKind(family: 4 | 6, noun: string, example: string, check: (found: Network) => void): Kind {
  const pattern = family === 4 ? PATTERN4 : PATTERN6;
  return kind(noun, `${noun}, such as ${example}`, CHARS, `${pattern}/[0-9]{1,3}$`, (text) => {
    const found = readNetwork(text, family, noun, example);
    check(found);
    return family === 4 ? text : formatNetwork(found);
  });
}

function hostKind(family: 4 | 6, noun: string, example: string, table: Reserved[]): Kind {
  const pattern = family === 4 ? PATTERN4 : PATTERN6;
  return kind(noun, `${noun}, such as ${example}`, CHARS, `${pattern}$`, (text) => {
    const found = parseAddress(text);
    if (found?.family !== family) throw new Fault(`is not ${noun}`, `write it like ${example}, without a length`);
    refuseReserved(host(found), table, `write it like ${example}`);
    return family === 4 ? text : formatAddress(found);
  });
}

/** `address`: an IPv4 host with a length; bare means /32. */
export const overlayAddress = kind(
  "an IPv4 address with its length",
  "this machine's overlay address, such as 10.5.0.1/32",
  CHARS,
  `${PATTERN4}(/[0-9]{1,2})?$`,
  (text) => {
    const bare = parseAddress(text);
    const found = bare ? host(bare) : parseNetwork(text);
    if (found?.family !== 4) {
      throw new Fault("is not an IPv4 address", "write four numbers and a length, such as 10.5.0.1/32");
    }
    refuseReserved(host(found), RESERVED4, "use the address that the overlay assigned to this machine");
    const last = lastAddress(found).value;
    if (found.length < 31 && (hostBits(found) === 0n || found.value === last)) {
      const what = hostBits(found) === 0n ? "the network itself" : "its broadcast address";
      throw new Fault(
        `is no host's address but ${what}`,
        `name the host in it; the address alone would be ${formatAddress(found)}/32`,
      );
    }
    return formatNetwork(found);
  },
);

/** `prefix`: RFC 6052 2.2. */
export const nat64Prefix = networkKind(6, "an IPv6 NAT64 prefix", "2001:db8:300:4::/96", (found) => {
  if (formatNetwork(found) === "64:ff9b::/96") {
    throw new Fault(
      "cannot reach an overlay: RFC 6052 3.1 forbids the well-known prefix for private IPv4, and nobody routes it to this machine",
      "use a /96 of the IPv6 network that is routed to this machine",
    );
  }
  if (overlaps(found, network("64:ff9b::/32"))) {
    throw new Fault(
      "is inside 64:ff9b::/32: Debian 12's tayga takes it (64:ff9b:1::/48 of RFC 8215 too) for the well-known prefix and refuses private IPv4",
      "use a /96 of the IPv6 network that is routed to this machine",
    );
  }
  refuseReserved(found, RESERVED6, "use a /96 of the IPv6 network that is routed to this machine");
  if (!PREFIX_LENGTHS.includes(found.length)) {
    throw new Fault(
      `has length ${found.length}, which RFC 6052 2.2 does not know`,
      `use one of /${PREFIX_LENGTHS.join(" /")}, usually /96`,
    );
  }
  if (found.value & U_OCTET) {
    const clear = formatNetwork({ ...found, value: found.value & ~U_OCTET });
    throw new Fault(
      "has bits 64 to 71 set, which RFC 6052 2.2 keeps zero",
      `choose another /96 of your /64, such as ${clear}`,
    );
  }
});

/** `routed`: never so wide that its blackhole would take what belongs to others. */
export const routedNetwork = networkKind(6, "an IPv6 network", "2001:db8:300:4::/64", (found) => {
  if (found.length < 16) {
    throw new Fault(
      "is too wide: crxn sends the unused rest of it to a blackhole",
      "write what the provider routes here, /16 or longer, usually a /64",
    );
  }
  refuseReserved(found, RESERVED6, "write what the provider routes to this machine, usually a /64");
});

/** `overlay.routes[].to` */
export const overlayNetwork = networkKind(4, "an IPv4 network", "10.0.0.0/8", (found) => {
  if (found.length === 0) {
    throw new Fault(
      "would swallow this machine's own default route",
      "name the overlay's networks, such as 10.0.0.0/8",
    );
  }
  refuseReserved(
    found,
    RESERVED4.filter(([, name]) => name !== "link-local"),
    "name the overlay's networks, such as 10.0.0.0/8",
  );
});

/** `overlay.local[]` */
export const localNetwork = networkKind(4, "an IPv4 network", "10.1.0.0/16", (found) => {
  refuseReserved(found, RESERVED4, "name the networks behind this machine, such as 10.1.0.0/16");
});

/** `nat64.pool` */
export const poolNetwork = networkKind(4, "an IPv4 network", "100.64.0.0/16", (found) => {
  if (found.length < 8 || found.length > 30) {
    throw new Fault(
      `has length ${found.length}, out of /8 to /30`,
      "each IPv6 client takes one address: use a /16, such as 100.64.0.0/16",
    );
  }
  refuseReserved(found, RESERVED4, "use a private network that nobody here uses, such as 100.64.0.0/16");
});

/** `nat64.clients[]` */
export const clientNetwork = networkKind(6, "an IPv6 network", "2001:db8::/32", () => {});

/** `overlay.routes[].via` of an existing interface. */
export const nextHop = hostKind(
  4,
  "an IPv4 address",
  "10.5.0.254",
  RESERVED4.filter(([, name]) => name !== "link-local"),
);
/** `nat64.maps[].ipv4` */
export const mapIpv4 = hostKind(4, "an IPv4 address", "10.5.0.2", RESERVED4);
/** `nat64.maps[].ipv6` */
export const mapIpv6 = hostKind(
  6,
  "an IPv6 address",
  "2001:db8::2",
  RESERVED6.filter(([, name]) => !name.startsWith("yggdrasil")),
);
