/**
 * Who and where somebody is, out of text: public addresses, names of hosts and keys are replaced, the same one by the same
 * thing each time, so that what belongs together still does. Pure but for what it remembers.
 *
 * - IPv6: each public /48 becomes 2001:db8:N::/48 (RFC 3849). The subnet within it (bits 48 to 63) stays, and so does an interface
 *   id below 2^32 (::1, and IPv4 in a NAT64 prefix); others are numbered. So who lies inside of whom still shows, from /48 on.
 * - addresses of yggdrasil (200::/7), which follow from keys: 200:0:0:N:: and 300:0:0:N::.
 * - IPv4: each public /24 becomes 198.18.N.0/24 (RFC 2544), the last byte stays.
 * - MAC addresses and interface ids made of them (fe80::) are numbered.
 * - 64:ff9b::/96 (RFC 6052): of the IPv4 address in it as above.
 * - private, shared, link-local, documentation, multicast and loopback addresses stay: the overlay's are such.
 * - keys of nodes become KEY-N, with the beginnings of them in names of devices; names of hosts become host-N.example.
 */

import { type Address, contains, formatAddress, host, network, parseAddress } from "./cidr.ts";

const KEPT = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/127",
  "64:ff9b:1::/48",
  "2001:db8::/32",
  "fc00::/7",
  "ff00::/8",
].map(network);

/** RFC 6052. */
const WELL_KNOWN = network("64:ff9b::/96");

/** Numbers things in the order in which they come. */
class Numbers {
  readonly #known = new Map<string, number>();
  of(what: string): number {
    const number = this.#known.get(what) ?? this.#known.size + 1;
    this.#known.set(what, number);
    return number;
  }
}

/** Where an address may begin: not within another; behind `src:` and the like, which is no part of one. */
const BEGIN = String.raw`(?:(?<![\w:.])|(?<=[g-z_][\w-]{0,20}:))`;
/** With the length of a network. */
const ADDRESS6 = new RegExp(
  String
    .raw`${BEGIN}((?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}))(?![\w:])(?:\/(\d{1,3}))?`,
  "gi",
);
const ADDRESS4 = /(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?!\w|\.\d)(?:\/(\d{1,2}))?/g;
/** Networks so large say nothing of anybody. */
const LARGE = { 4: 8, 6: 16 };
const MAC = new RegExp(String.raw`${BEGIN}[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![\w:])`, "gi");
/** Endings of names, beside those of two letters. */
const ENDINGS =
  ("com net org info biz dev app xyz cloud online site tech network host home lan local internal edu gov mil " +
    "club coop shop store mobi email blog wiki space website news media systems solutions services agency studio digital " +
    "company global world today zone group team life live berlin hamburg swiss wien").split(" ");
/** A name with a public ending. Endings that files and units have (.sh, .so, .py) are none. */
const NAME = new RegExp(
  String.raw`(?<![\w.-])(?<!(?<!\/)\/)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:${
    ENDINGS.join("|")
  }|(?!sh|ip|so|gz|js|ts|py|md|rs|go)[a-z]{2})(?![\w-]|\.[a-z])`,
  "gi",
);
/** Names that are everybody's. */
const COMMON = /(^|\.)(example|debian|freedesktop|kernel|ietf|rfc-editor)\.(com|net|org)$/i;

/** What hosts are called that says nothing, and would be missing elsewhere. */
const WORDS = new Set(
  "localhost debian linux crxn tayga yggdrasil ygg gateway router nat64 overlay node host".split(" "),
);

export class Hider {
  readonly #names: string[];
  readonly #keys: string[];
  readonly #numbers = new Map<string, Numbers>();

  /**
   * @param keys public keys in hex, which may stand abbreviated, too
   * @param names of hosts, beside those that have a public ending
   */
  constructor(keys: string[], names: string[]) {
    this.#keys = keys.map((k) => k.toLowerCase());
    this.#names = names.filter((n) => n.length > 1 && !WORDS.has(n.toLowerCase())).sort((a, b) => b.length - a.length);
  }

  hide(text: string): string {
    let out = this.#hideKeys(text);
    for (const name of this.#names) {
      const pattern = new RegExp(`(?<![\\w.-])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`, "gi");
      out = out.replace(pattern, () => this.#host(name));
    }
    return out
      .replace(NAME, (name) => COMMON.test(name) || /^host-\d+\.example$/.test(name) ? name : this.#host(name))
      .replace(MAC, (mac) => this.#mac(mac))
      .replace(ADDRESS6, (all, address, length) => this.#address(all, address, length))
      .replace(ADDRESS4, (all, address, length) => this.#address(all, address, length));
  }

  #number(kind: string, what: string): number {
    const numbers = this.#numbers.get(kind) ?? new Numbers();
    this.#numbers.set(kind, numbers);
    return numbers.of(what);
  }

  #host = (name: string) => `host-${this.#number("host", name.toLowerCase())}.example`;

  #hideKeys(text: string): string {
    return text.replace(/(?<![0-9a-z])[0-9a-f]{8,}(?:\.\.\.)?(?![0-9a-z])/gi, (found) => {
      const hex = found.replace("...", "").toLowerCase();
      const key = this.#keys.find((k) => k.startsWith(hex)) ?? (hex.length === 64 ? hex : undefined);
      return key ? `KEY-${this.#number("key", key)}` : found;
    });
  }

  #mac(mac: string): string {
    const lower = mac.toLowerCase();
    if (/^(00(:00){5}|ff(:ff){5})$/.test(lower)) return mac;
    const number = this.#number("mac", lower).toString(16).padStart(4, "0");
    return `02:00:00:00:${number.slice(0, 2)}:${number.slice(2, 4)}`;
  }

  #address(all: string, text: string, length: string | undefined): string {
    const address = parseAddress(text);
    if (address && contains(WELL_KNOWN, host(address))) return this.#translated(all, text, address, length);
    if (!address || KEPT.some((n) => contains(n, host(address)))) return all;
    if (length !== undefined && Number(length) <= LARGE[address.family]) return all;
    return this.#placeOf(address) + (length === undefined ? "" : `/${length}`);
  }

  /** Of an address behind the prefix that everybody knows the IPv4 address is somebody's. */
  #translated(all: string, text: string, { value }: Address, length: string | undefined): string {
    const inside: Address = { family: 4, value: value & 0xffff_ffffn };
    if (Number(length ?? 128) <= 96 || KEPT.some((n) => contains(n, host(inside)))) return all;
    const place = this.#placeOf(inside);
    const shown = text.includes(".")
      ? text.slice(0, text.lastIndexOf(":") + 1) + place
      : formatAddress({ family: 6, value: value - inside.value + parseAddress(place)!.value });
    return shown + (length === undefined ? "" : `/${length}`);
  }

  #placeOf({ family, value }: Address): string {
    if (family === 4) {
      const number = this.#number("net4", String(value >> 8n));
      return `198.${18 + (number >> 8) % 2}.${number & 0xff}.${value & 0xffn}`;
    }
    const [high, low] = [value >> 64n, value & 0xffff_ffff_ffff_ffffn];
    const id = low >> 32n === 0n ? low : BigInt(this.#number("id", String(low)));
    const of = (network: bigint) => formatAddress({ family: 6, value: (network << 64n) | id });
    // Link-local: the interface id is all there is.
    if (value >> 118n === 0x3fan) return of(0xfe80n << 48n);
    // Address and subnet of one node of yggdrasil differ in one bit.
    if (value >> 121n === 1n) {
      const node = BigInt(this.#number("node", String(high & ~(1n << 56n))));
      return of((high & (3n << 56n)) | node);
    }
    const site = BigInt(this.#number("net6", String(value >> 80n)));
    return of((0x2001_0db8n << 32n) | (site << 16n) | (high & 0xffffn));
  }
}
