/** Configs that must be refused, with the place and a phrase of the message; for unit tests and for tests on machines. */
export interface BrokenConfig {
  name: string;
  yaml: string;
  /** "line:column" of the problem that counts. */
  at: string;
  /** Part of that problem's line. */
  says: string;
}

export const KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";

/** A gateway over an existing interface, in 12 lines. */
export const GOOD_INTERFACE = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
routed: 2a04:5b80:300:4::/64
uplink: eth0
overlay:
  type: interface
  interface: wg0
  routes:
    - to: 10.0.0.0/8
nat64:
  instance: ygg
  pool: 100.64.0.0/16
`;

/** A gateway over yggdrasil, in 10 lines. */
export const GOOD_YGGDRASIL = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  tunnel: vxlan
  peers:
    - tls://peer.example.net:443
  routes:
    - to: 10.0.0.0/8
      via: ${KEY}
`;

/** One of the good configs with one text replaced. */
function edit(base: string, from: string, to: string): string {
  if (!base.includes(from)) throw new Error(`No ${JSON.stringify(from)} in the base config`);
  return base.replace(from, () => to);
}
const wg = (name: string, from: string, to: string, at: string, says: string): BrokenConfig => ({
  name,
  yaml: edit(GOOD_INTERFACE, from, to),
  at,
  says,
});
const ygg = (name: string, from: string, to: string, at: string, says: string): BrokenConfig => ({
  name,
  yaml: edit(GOOD_YGGDRASIL, from, to),
  at,
  says,
});
const SUM = `${"c0ffee".repeat(10)}c0de`;
const FROM = "url: 'https://example.net/y'";
const URL_SUM = `${FROM}, sha256: ${SUM}`;
const fetched = (name: string, keys: string, at: string, says: string): BrokenConfig =>
  ygg(`daemon ${name}`, "tunnel: vxlan", `daemon: {${keys}}`, at, says);
const local = (name: string, list: string, at: string, says: string): BrokenConfig =>
  ygg(`local ${name}`, "tunnel: vxlan", `local: ${list}`, at, says);
const second = (name: string, key: string, at: string, says: string, to = "10.7.0.0/16"): BrokenConfig =>
  ygg(`second far node ${name}`, `via: ${KEY}\n`, `via: ${KEY}\n    - to: ${to}\n      via: ${key}\n`, at, says);
const POOL = "  pool: 100.64.0.0/16\n";
const PEER = "tls://peer.example.net:443";

export const BROKEN_CONFIGS: BrokenConfig[] = [
  // YAML
  { name: "empty file", yaml: "", at: "1:1", says: "the file is empty" },
  { name: "only comments", yaml: "# nothing\n", at: "1:1", says: "the file is empty" },
  { name: "list instead of a map", yaml: "- address: 10.5.0.1/32\n", at: "1:1", says: "the file is a list, not a map" },
  { name: "one word", yaml: "hello\n", at: "1:1", says: "with a space behind the colon" },
  wg("duplicate key", "uplink: eth0", "uplink: eth0\naddress: 10.5.0.2/32", "5:1", "this key is there twice"),
  wg("tab as indentation", "  interface: wg0", "\tinterface: wg0", "7:1", "indent with spaces"),
  wg(
    "tab that the quick parser reads as the top level",
    "nat64:\n  instance: ygg\n",
    "nat64:\n\tinstance: ygg\n",
    "11:1",
    "indent with spaces",
  ),
  wg("second document", "nat64:", "---\nnat64:", "10:1", "one file is one document"),
  wg("anchor", "eth0", "&up eth0", "4:9", "&up is an anchor"),
  wg("alias without anchor", "eth0", "*up", "4:9", "write the value itself"),
  wg("merge", "  type: interface", "  <<: {type: interface}", "6:3", "'<<' merges maps"),
  {
    name: "alias bomb",
    yaml: `a: &a [x, x]\n${
      [..."bcdefghijklmnopqrstuvwxyz"].map((c, i) =>
        `${c}: &${c} [${`*${"abcdefghijklmnopqrstuvwxyz"[i]}, `.repeat(9)}x]`
      ).join("\n")
    }\n`,
    at: "1:4",
    says: "&a is an anchor",
  },
  wg("tag", "eth0", "!!binary ZXRoMA==", "4:9", "remove it"),
  wg("unclosed quote", "wg0", '"wg0', "13:1", "close the quote"),
  wg("list as key", "uplink: eth0", "? [a, b]\n: eth0", "4:3", "a key here is a list or a map"),
  wg("number as key", "uplink: eth0", "1: eth0", "4:1", '"1" is not a key of this file'),
  { name: "bottomless nesting", yaml: `address: ${"[".repeat(50_000)}`, at: "1:1", says: "nested too deeply" },
  { name: "endless file", yaml: `address: 10.5.0.1 #${"x".repeat(300_000)}`, at: "1:1", says: "far too long" },
  wg("control character", "eth0", '"eth0\\e[31m"', "4:9", "character 5 is U+001B"),
  wg("NUL in the text", "eth0", "eth\u00000", "4:12", "a control character (U+0000)"),
  // Keys
  wg("unknown key", "uplink:", "uplnk:", "4:1", "did you mean uplink?"),
  wg(
    "unknown key in a list",
    "    - to: 10.0.0.0/8",
    "    - to: 10.0.0.0/8\n      vai: 10.9.0.1",
    "10:7",
    "did you mean via?",
  ),
  wg("key at the wrong level", "uplink: eth0", "pool: 100.64.0.0/16", "4:1", "it belongs below nat64:"),
  wg(
    "key of the other overlay type",
    "interface: wg0",
    `interface: wg0\n  peers: [${PEER}]`,
    "8:3",
    "peers belongs to type: yggdrasil",
  ),
  wg("__proto__", "uplink: eth0", "__proto__: {admin: true}", "4:1", '"__proto__" is not a key'),
  wg("address missing", "address: 10.5.0.1/32\n", "", "1:1", "address is missing"),
  { name: "overlay missing", yaml: "address: 10.5.0.1/32\n", at: "1:1", says: "overlay is missing" },
  wg("interface missing", "  interface: wg0\n", "", "5:1", "interface is missing in overlay"),
  ygg("via missing", `\n      via: ${KEY}`, "", "9:7", "via is missing in routes — write 64 hex digits"),
  wg("overlay type missing", "  type: interface\n", "", "5:1", "type is missing in overlay"),
  wg("overlay type unknown", "type: interface", "type: wireguard", "6:9", '"wireguard" is not yggdrasil or interface'),
  wg("value missing", "uplink: eth0", "uplink:", "4:8", "nothing is written here"),
  // YAML's own ideas of a value
  wg("number for an address", "10.5.0.1/32", "10.5", "1:10", '"10.5" is read by YAML as a number'),
  wg("boolean for a name", "uplink: eth0", "uplink: true", "4:9", "in quotes where YAML would read something else"),
  wg("date for a name", "uplink: eth0", "uplink: 2001-12-14", "4:9", "read by YAML as a date"),
  wg("list for a name", "uplink: eth0", "uplink: [eth0, eth1]", "4:9", "is a list, not an interface name"),
  ygg("key that YAML takes for a number", KEY, "12".repeat(32), "10:12", "read by YAML as a number"),
  wg("octal number", POOL, `${POOL}  mss: 02000\n`, "13:8", "without leading zeros"),
  // Values
  wg("octet too large", "10.5.0.1/32", "10.5.0.256/32", "1:10", '"10.5.0.256/32" is not an IPv4 address'),
  wg("network for an address", "10.5.0.1/32", "10.5.0.0/24", "1:10", "no host's address but the network itself"),
  wg("loopback for an address", "10.5.0.1/32", "127.0.0.1/8", "1:10", "127.0.0.0/8 is loopback"),
  wg("IPv4 prefix", "2a04:5b80:300:4::/96", "10.0.0.0/8", "2:9", "is IPv4, not an IPv6 NAT64 prefix"),
  wg(
    "host bits in prefix",
    "2a04:5b80:300:4::/96",
    "2a04:5b80:300:4::1/96",
    "2:9",
    "has host bits set — the network is 2a04:5b80:300:4::/96",
  ),
  wg(
    "prefix length",
    "2a04:5b80:300:4::/96",
    "2a04:5b80:300:4::/80",
    "2:9",
    "has length 80, which RFC 6052 2.2 does not know",
  ),
  wg("bits 64 to 71", "2a04:5b80:300:4::/96", "2a04:5b80:300:4:100::/96", "2:9", "such as 2a04:5b80:300:4::/96"),
  wg(
    "well-known prefix",
    "2a04:5b80:300:4::/96",
    "64:ff9b::/96",
    "2:9",
    "RFC 6052 3.1 forbids the well-known prefix for private IPv4",
  ),
  wg("local-use prefix", "2a04:5b80:300:4::/96", "64:ff9b:1::/96", "2:9", "Debian 12's tayga"),
  wg("link-local prefix", "2a04:5b80:300:4::/96", "fe80::/96", "2:9", "fe80::/10 is link-local"),
  wg(
    "prefix of yggdrasil",
    "2a04:5b80:300:4::/96",
    "200:848a:604f:bb7e::/96",
    "2:9",
    "200::/8 is yggdrasil's addresses",
  ),
  wg(
    "prefix outside routed",
    "routed: 2a04:5b80:300:4::/64",
    "routed: 2a04:5b80:300:5::/64",
    "2:9",
    "is not inside routed 2a04:5b80:300:5::/64",
  ),
  wg(
    "routed smaller than prefix",
    "routed: 2a04:5b80:300:4::/64",
    "routed: 2a04:5b80:300:4::/97",
    "3:9",
    "write 2a04:5b80:300:4::/64",
  ),
  wg("routed is everything", "routed: 2a04:5b80:300:4::/64", "routed: ::/0", "3:9", "is too wide"),
  wg("long interface name", "wg0", "wg0-to-the-office", "7:14", "too long for an interface: 17 characters"),
  wg("interface name that breaks out of a unit", "wg0", "'wg0;reboot'", "7:14", "character 4 is ';'"),
  wg("interface name of the kernel", "wg0", "all", "7:14", "a name that the kernel keeps for itself"),
  wg("overlay is the uplink", "wg0", "eth0", "7:14", "is the uplink too"),
  wg("overlay is the translator", "wg0", "nat64-ygg", "7:14", "is the translator's device"),
  wg("long instance", "instance: ygg", "instance: yggdrasil-1", "11:13", "at most 9 characters"),
  wg("path in instance", "instance: ygg", "instance: ../ygg", "11:13", "character 1 is '.'"),
  wg("default route as overlay", "10.0.0.0/8", "0.0.0.0/0", "9:11", "would swallow this machine's own default route"),
  wg("half of the Internet as overlay", "10.0.0.0/8", "0.0.0.0/1", "9:11", "cannot be used"),
  wg("host bits in a route", "10.0.0.0/8", "10.1.0.0/8", "9:11", "the network is 10.0.0.0/8"),
  wg("route without length", "10.0.0.0/8", "10.1.0.3", "9:11", "write 10.1.0.3/32 for this one address"),
  wg("route twice", "10.0.0.0/8", "10.0.0.0/8\n    - to: 10.0.0.0/8", "10:11", '"10.0.0.0/8" is there twice'),
  wg("no routes", "routes:\n    - to: 10.0.0.0/8", "routes: []", "8:3", "a gateway without overlay routes"),
  wg(
    "routes not a list",
    "routes:\n    - to: 10.0.0.0/8",
    "routes: 10.0.0.0/8",
    "8:11",
    "is not a list — write each route",
  ),
  wg(
    "next hop is this machine",
    "10.0.0.0/8",
    "10.0.0.0/8\n      via: 10.5.0.1",
    "10:12",
    "is this machine's own address",
  ),
  wg(
    "key as next hop of an interface",
    "10.0.0.0/8",
    `10.0.0.0/8\n      via: ${KEY}`,
    "10:12",
    "is not an IPv4 address",
  ),
  wg("pool inside the overlay", "100.64.0.0/16", "10.99.0.0/16", "12:9", "overlaps the overlay route 10.0.0.0/8"),
  wg("pool too small", "100.64.0.0/16", "100.64.0.0/31", "12:9", "has length 31, out of /8 to /30"),
  wg("pool of multicast", "100.64.0.0/16", "224.64.0.0/16", "12:9", "224.0.0.0/4 is multicast"),
  wg(
    "map to the own address",
    POOL,
    `${POOL}  maps: [{ipv4: 10.5.0.1, ipv6: "2001:db8::2"}]\n`,
    "13:17",
    "is this machine's own overlay address",
  ),
  wg(
    "map inside the pool",
    POOL,
    `${POOL}  maps: [{ipv4: 100.64.0.9, ipv6: "2001:db8::2"}]\n`,
    "13:17",
    "is inside the pool",
  ),
  wg(
    "map inside the prefix",
    POOL,
    `${POOL}  maps: [{ipv4: 10.5.0.2, ipv6: "2a04:5b80:300:4::2"}]\n`,
    "13:33",
    "is inside the prefix",
  ),
  wg(
    "map twice",
    POOL,
    `${POOL}  maps: [{ipv4: 10.5.0.2, ipv6: "2001:db8::2"}, {ipv4: 10.5.0.2, ipv6: "2001:db8::3"}]\n`,
    "13:56",
    "is there twice",
  ),
  wg("no clients", POOL, `${POOL}  clients: []\n`, "13:12", "lets nobody use the gateway"),
  wg("client of IPv4", POOL, `${POOL}  clients: [10.0.0.0/8]\n`, "13:13", "is IPv4, not an IPv6 network"),
  wg(
    "mss too small",
    POOL,
    `${POOL}  mss: 100\n`,
    "13:8",
    '"100" is not a segment size — write auto, off, or 536 to 65495',
  ),
  wg("mss misspelt", POOL, `${POOL}  mss: of\n`, "13:8", '"of" is not a segment size'),
  wg("no workers", POOL, `${POOL}  workers: 0\n`, "13:12", '"0" is not a number of translators'),
  wg("too many workers", POOL, `${POOL}  workers: 17\n`, "13:12", "write auto, or 1 to 16"),
  wg("workers misspelt", POOL, `${POOL}  workers: all\n`, "13:12", '"all" is not a number of translators'),
  wg(
    "workers without room",
    POOL,
    "  pool: 192.168.64.0/28\n  workers: 4\n",
    "13:12",
    "the pool 192.168.64.0/28 is too small for 4 translators, of which each needs a /29 of its own — write workers: 2",
  ),
  wg(
    "workers with a long name",
    `  instance: ygg\n${POOL}`,
    `  instance: freifunk\n${POOL}  workers: 2\n`,
    "13:12",
    "the device nat64-freifunk-2 of translator 2 would have more than 15 characters — shorten",
  ),
  wg(
    "nat64 without prefix",
    "prefix: 2a04:5b80:300:4::/96\nrouted: 2a04:5b80:300:4::/64\n",
    "",
    "8:1",
    "without prefix this is an overlay node",
  ),
  ygg("key too short", KEY, KEY.slice(0, 62), "10:12", "it has 62 hex digits instead of 64"),
  ygg(
    "key with a typing error",
    KEY,
    `${KEY.slice(0, 10)}g${KEY.slice(11)}`,
    "10:12",
    "character 11 is 'g', not a hex digit",
  ),
  ygg("private key", KEY, KEY + KEY, "10:12", "128 hex digits are a private key"),
  ygg("key of zeros", KEY, `"${"0".repeat(64)}"`, "10:12", "nobody's public key"),
  ygg(
    "peer inside the overlay",
    PEER,
    "tls://10.9.8.7:443",
    "7:7",
    "a peer whose own address lies inside an overlay route swallows itself",
  ),
  ygg("mapped peer inside the overlay", PEER, "'tls://[::ffff:10.9.8.7]:443'", "7:7", "swallows itself"),
  ygg("peer without scheme", PEER, "peer.example.net:443", "7:7", "it has no scheme"),
  ygg("peer with an unknown scheme", PEER, "http://peer.example.net:443", "7:7", "use one of tls:// tcp://"),
  ygg("peer without port", PEER, "tls://peer.example.net", "7:7", "does not say HOST:PORT"),
  ygg("peer of IPv6 without brackets", PEER, "tls://2001:db8::1:443", "7:7", "without brackets"),
  ygg("peer with port 70000", PEER, "tls://peer.example.net:70000", "7:7", "has port 70000"),
  ygg("peer that breaks out of HJSON", PEER, `'${PEER}"]'`, "7:7", "is not a peer to dial: character"),
  ygg("tunnel unknown", "vxlan", "gre", "5:11", '"gre" is not a kind of tunnel'),
  fetched("without a sum", "url: 'https://example.net/y'", "5:3", "sha256 is missing in daemon — write 64 hex digits"),
  fetched("without a URL", `sha256: ${SUM}`, "5:3", "url is missing in daemon — write https://HOST/FILE"),
  fetched(
    "with an unknown key",
    `${URL_SUM}, mode: '0755'`,
    "5:116",
    '"mode" is not a key of overlay.daemon — remove it',
  ),
  fetched("with a short sum", `${FROM}, sha256: 00ff`, "5:50", "it has 4 hex digits instead of 64"),
  fetched("with a SHA-1 sum", `${FROM}, sha256: ${SUM.slice(24)}`, "5:50", "that is SHA-1"),
  fetched(
    "with letters in the sum",
    `${FROM}, sha256: g${SUM.slice(1)}`,
    "5:50",
    "character 1 is 'g', not a hex digit",
  ),
  fetched("with an octal sum", `${FROM}, sha256: 0123`, "5:50", "is read by YAML as a number, not a SHA-256 sum"),
  fetched("with a number as sum", `${FROM}, sha256: ${"1".repeat(64)}`, "5:50", "in quotes where YAML would read"),
  fetched("with an empty sum", `${FROM}, sha256: ''`, "5:50", '"" is empty — write 64 hex digits'),
  fetched("from an ftp server", `sha256: ${SUM}, url: ftp://example.net/y`, "5:91", "has the scheme ftp://"),
  fetched("by a bare path", `sha256: ${SUM}, url: /root/y.deb`, "5:91", "it has no scheme — write https://HOST/FILE"),
  fetched(
    "by a relative file",
    `sha256: ${SUM}, url: file://root/y.deb`,
    "5:91",
    "is not file:// and an absolute path",
  ),
  fetched(
    "with a password in it",
    `sha256: ${SUM}, url: 'https://me:secret@h/y'`,
    "5:91",
    "has a user name or password",
  ),
  fetched("with a space in the URL", `sha256: ${SUM}, url: 'https://h/a b'`, "5:91", "character 12 is a space"),
  fetched("with a quote in the URL", `sha256: ${SUM}, url: 'https://h/a"b'`, "5:91", "character 12 is '\"'"),
  fetched("with a shell in the URL", `sha256: ${SUM}, url: 'https://h/$(id)'`, "5:91", "character 11 is '$'"),
  fetched("with a line break in the URL", `sha256: ${SUM}, url: "https://h/a\\nb"`, "5:91", "character 12 is U+000A"),
  fetched("with dots in the URL", `sha256: ${SUM}, url: 'https://h/../y'`, "5:91", "is not a plain path"),
  fetched("from a folder", `sha256: ${SUM}, url: 'https://h/'`, "5:91", "names no file"),
  fetched("from nowhere", `sha256: ${SUM}, url: 'https:///y'`, "5:91", "names no host"),
  fetched("from port 0", `sha256: ${SUM}, url: 'https://h:0/y'`, "5:91", "has port 0"),
  ygg(
    "daemon as a list",
    "tunnel: vxlan",
    "daemon: [/usr/sbin/yggdrasil]",
    "5:11",
    "is a list, not a daemon — write a path",
  ),
  ygg("daemon as a number", "tunnel: vxlan", "daemon: 316", "5:11", "is read by YAML as a number, not a daemon"),
  ygg("daemon with an argument", "tunnel: vxlan", "daemon: /usr/sbin/yggdrasil -x", "5:11", "character 20 is a space"),
  ygg("daemon with a relative path", "tunnel: vxlan", "daemon: yggdrasil", "5:11", "is not an absolute path"),
  // Several addresses, networks behind this machine, several far nodes
  wg("empty list of addresses", "10.5.0.1/32", "[]", "1:10", "is an empty list, not an IPv4 address"),
  wg("address twice", "10.5.0.1/32", "[10.5.0.1/32, 10.5.0.1]", "1:24", '"10.5.0.1" is there twice'),
  wg("address twice with another length", "10.5.0.1/32", "[10.5.0.1/24, 10.5.0.1/32]", "1:24", "is there twice"),
  wg(
    "bad address in a list",
    "10.5.0.1/32",
    "[10.5.0.1/32, 10.6.0.300]",
    "1:24",
    '"10.6.0.300" is not an IPv4 address',
  ),
  wg("number in a list of addresses", "10.5.0.1/32", "[10.5.0.1/32, 10.6]", "1:24", "is read by YAML as a number"),
  wg("map for an address", "10.5.0.1/32", "{ipv4: 10.5.0.1}", "1:10", "not an IPv4 address with its length"),
  wg("list in a list of addresses", "10.5.0.1/32", "[[10.5.0.1/32]]", "1:11", "is a list, not an IPv4 address"),
  {
    name: "second address as next hop",
    yaml: edit(GOOD_INTERFACE, "10.5.0.1/32", "[10.5.0.1, 10.6.0.1]").replace(
      "10.0.0.0/8",
      "10.0.0.0/8\n      via: 10.6.0.1",
    ),
    at: "10:12",
    says: '"10.6.0.1" is this machine\'s own address',
  },
  {
    name: "second address as a map",
    yaml: edit(GOOD_INTERFACE, "10.5.0.1/32", "[10.5.0.1, 10.6.0.1]") +
      '  maps: [{ipv4: 10.6.0.1, ipv6: "2001:db8::2"}]\n',
    at: "13:17",
    says: "is this machine's own overlay address",
  },
  {
    name: "second address inside the pool",
    yaml: edit(GOOD_INTERFACE, "10.5.0.1/32", "[10.5.0.1, 100.64.0.7]"),
    at: "12:9",
    says: "holds this machine's overlay address 100.64.0.7",
  },
  wg(
    "network among the addresses",
    "address: 10.5.0.1/32",
    "address: [10.5.0.1, 10.0.0.0/8]",
    "1:21",
    "is no host's address",
  ),
  wg(
    "local of an existing link",
    "interface: wg0",
    "interface: wg0\n  local: []",
    "8:3",
    "local belongs to type: yggdrasil",
  ),
  local("that is a route", "[10.0.0.0/8]", "5:11", '"10.0.0.0/8" is an overlay route too'),
  local("twice", "[10.1.0.0/16, 10.1.0.0/16]", "5:24", '"10.1.0.0/16" is there twice'),
  local("that is no list", "10.1.0.0/16", "5:10", "is not a list — write local: [10.1.0.0/16]"),
  local("with host bits", "[10.1.0.1/16]", "5:11", "the network is 10.1.0.0/16"),
  local("without a length", "[10.1.0.1]", "5:11", "write 10.1.0.1/32 for this one address"),
  local("around the pool", "[100.64.0.0/10]", "1:1", '"100.64.0.0/16" overlaps 100.64.0.0/10 of overlay.local'),
  local("of IPv6", "['2001:db8::/64']", "5:11", "is IPv6, not an IPv4 network"),
  local("that is everything", "[0.0.0.0/0]", "5:11", "cannot be used"),
  local("that breaks out of a rule", "['10.1.0.0/16 -j ACCEPT']", "5:11", "character 12 is a space"),
  local("without a value", "", "5:10", "nothing is written here"),
  second(
    "whose key begins like another's",
    `${KEY.slice(0, 8)}${"1".repeat(56)}`,
    "12:12",
    "both tunnels would be called crxn-6fa49781",
  ),
  second("of the same network", KEY, "11:11", '"10.0.0.0/8" is there twice', "10.0.0.0/8"),
  second("that is this machine", KEY, "11:11", "is this machine's own address", "10.5.0.1/32"),
  second("with a short key", KEY.slice(1), "12:12", "it has 63 hex digits instead of 64"),
  ygg(
    "pool left to the default inside a route",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "1:1",
    '"100.64.0.0/16" overlaps the overlay route 100.64.0.0/10',
  ),
];
