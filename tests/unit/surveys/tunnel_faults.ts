/** Faults of tunnels, of one and of two, and of tunnel routing. */

import { Path } from "../../../gateway/names.ts";
import { filterOf } from "./builder.ts";
import {
  changed,
  down,
  dropRoutes,
  type Fault,
  gone,
  goneWhole,
  link,
  reachOf,
  SECOND_TUNNEL,
  TUNNEL,
} from "./fault.ts";

export const TUNNEL_FAULTS: Fault[] = [
  {
    name: "the tunnel deleted",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: goneWhole(TUNNEL),
  },
  {
    name: "the daemon's device and the tunnel over it deleted",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => {
      gone(TUNNEL)(s);
      gone("ygg")(s);
    },
  },
  { name: "the tunnel down", setup: "yggdrasil", check: "tunnel-routing", make: down(TUNNEL) },
  {
    name: "a tunnel to somebody else",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (link(s, TUNNEL).data["remote6"] = "200::9"),
  },
  {
    name: "proxy_arp off",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (s.sysctls[`net/ipv4/conf/${TUNNEL}/proxy_arp`] = "0"),
  },
  {
    name: "tunnel rules flushed",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (filterOf(s.rules.inet6)["CRXN-INPUT"]!.rules = []),
  },
  {
    name: "an INPUT rule that drops the tunnel",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => filterOf(s.rules.inet6)["INPUT"]!.rules.push(["-i", "ygg", "-j", "DROP"]) as unknown as void,
  },
  {
    name: "the second of two tunnels deleted",
    setup: "two nodes",
    check: "tunnel-routing",
    make: goneWhole(SECOND_TUNNEL),
  },
  {
    name: "the second of two tunnels on another port",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (link(s, SECOND_TUNNEL).data["port"] = 4789),
  },
  {
    name: "ports no longer translated",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet6!["nat"]!["CRXN-OUTPUT"]!.rules = []),
  },
  {
    name: "nodes no longer held to their networks",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet!["raw"]!["CRXN-PREROUTING"]!.rules = []),
  },
  {
    name: "the guard of this side's networks gone",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet!["mangle"]!["CRXN-POSTROUTING"]!.rules = []),
  },
  {
    name: "the second tunnel's address deleted",
    setup: "two nodes",
    check: "overlay-address",
    make: (s) => void (link(s, SECOND_TUNNEL).addresses = []),
  },
  {
    name: "the second node's route deleted",
    setup: "two nodes",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.to === "10.7.0.0/16" && r.type === "unicast"),
  },
  {
    name: "a clamp, NAT rule or policy for one of two tunnels only: SNAT of the second flushed",
    setup: "two nodes",
    check: "nat-rule",
    make: (s) => void s.rules.inet!["nat"]!["CRXN-POSTROUTING"]!.rules.splice(1),
  },
  {
    name: "the daemon has refused a network",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (_, input) =>
      void (input.daemonLog = ['Error adding routed subnet "10.0.0.0/33": netip.ParsePrefix("10.0.0.0/33")']),
  },
  {
    name: "tunnel routing switched off by hand",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (s) => changed(s, Path.yggdrasilConfig, (text) => text.replace(/"?Enable"?: true/, "Enable: false")),
  },
  {
    name: "another network in TunnelRouting",
    setup: "yggdrasil",
    options: { ckr: "0.3" },
    check: "tunnel-routing",
    make: (s) => changed(s, Path.yggdrasilConfig, (text) => text.replace("10.0.0.0/8", "10.0.0.0/9")),
  },
  {
    name: "a 0.3 that runs without its device",
    setup: "yggdrasil",
    options: { ckr: "0.3" },
    check: "tunnel-routing",
    make: (_, input) =>
      void (input.daemonLog = ["An error occurred starting TUN/TAP: file exists", "Connected TCP: x"]),
  },
  {
    name: "a far node that does not answer",
    setup: "two nodes",
    check: "overlay-peers",
    make: (_, input) => void (input.reach = reachOf(input, [3, 0])),
  },
];
