/** Configs with several addresses, networks behind this machine, several far nodes. */

import { type BrokenConfig, edit, GOOD_INTERFACE, KEY, wg, ygg } from "./base.ts";

const local = (name: string, list: string, at: string, says: string): BrokenConfig =>
  ygg(`local ${name}`, "tunnel: vxlan", `local: ${list}`, at, says);
const second = (name: string, key: string, at: string, says: string, to = "10.7.0.0/16"): BrokenConfig =>
  ygg(`second far node ${name}`, `via: ${KEY}\n`, `via: ${KEY}\n    - to: ${to}\n      via: ${key}\n`, at, says);

export const SEVERAL: BrokenConfig[] = [
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
