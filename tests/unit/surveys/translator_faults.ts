/** Faults of the existing link, of the translator, and of the gateway's own routes. */

import { Unit } from "../../../gateway/names.ts";
import { down, dropRoutes, edit, type Fault, gone, link, looping, NAT64, remove, stop, unit } from "./fault.ts";

export const TRANSLATOR_FAULTS: Fault[] = [
  { name: "the existing overlay link deleted", check: "tunnel-routing", make: gone("wg0") },
  { name: "the existing overlay link down", check: "tunnel-routing", make: down("wg0") },
  {
    name: "the existing overlay link without carrier",
    check: "tunnel-routing",
    make: (s) => void (link(s, "wg0").carrier = false),
  },
  {
    name: "the overlay address deleted",
    check: "overlay-address",
    make: (s) => {
      link(s, "wg0").addresses = [];
      dropRoutes(s, (r) => r.device === "wg0");
    },
  },
  {
    name: "the overlay route deleted",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.to === "10.0.0.0/8" && r.type === "unicast"),
  },
  {
    name: "the unreachable route deleted",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.type === "unreachable"),
  },
  {
    name: "the overlay route taken by another device",
    check: "overlay-route",
    make: (s) =>
      void Object.assign(s.routes.find((r) => r.to === "10.0.0.0/8" && r.type === "unicast")!, {
        device: "eth0",
        protocol: "static",
      }),
  },
  { name: "tayga stopped", check: "translator-service", make: stop("tayga@ygg.service") },
  { name: "tayga crash-looping", check: "translator-service", make: stop("tayga@ygg.service", looping) },
  {
    name: "tayga not enabled",
    check: "translator-service",
    make: (s) => void (unit(s, "tayga@ygg.service").enabled = "disabled"),
  },
  {
    name: "the firewall unit stopped",
    check: "translator-service",
    make: (s) => {
      stop(Unit.firewall)(s);
      stop("tayga@ygg.service")(s);
    },
  },
  { name: "tayga's config edited", check: "translator-config", make: edit("/etc/tayga/ygg.conf") },
  {
    name: "tayga's config broken, tayga dead",
    check: "translator-config",
    make: (s) => {
      edit("/etc/tayga/ygg.conf", "\nfoo bar\n")(s);
      stop("tayga@ygg.service", looping)(s);
    },
  },
  { name: "tayga's config deleted", check: "translator-config", make: remove("/etc/tayga/ygg.conf") },
  {
    name: "tayga with an older config",
    check: "translator-config",
    make: (s) => void (s.files["/etc/tayga/ygg.conf"]!.modified = 3000),
  },
  { name: "the translator's device down", check: "translator-device", make: down(NAT64) },
  { name: "the translator's device deleted", check: "translator-device", make: gone(NAT64) },
  {
    name: "the MTU of the translator's device lowered",
    check: "translator-device",
    make: (s) => void (link(s, NAT64).mtu = 1280),
  },
  { name: "the pool used up", check: "pool", make: (s) => void (s.poolUsed = 65535) },
  {
    name: "the pool's route deleted",
    check: "pool-route",
    make: (s) => dropRoutes(s, (r) => r.to === "100.64.0.0/16"),
  },
  {
    name: "a narrower route inside the pool",
    check: "pool-route",
    make: (s) =>
      void s.routes.push({
        family: "inet",
        to: "100.64.3.0/24",
        type: "unicast",
        device: "eth0",
        table: "main",
        protocol: "static",
        metric: 0,
      }),
  },
  {
    name: "the slice's route deleted",
    check: "prefix-route",
    make: (s) => dropRoutes(s, (r) => r.family === "inet6" && r.device === NAT64),
  },
  {
    name: "a narrower route inside the slice",
    check: "prefix-route",
    make: (s) =>
      void s.routes.push({
        family: "inet6",
        to: "2001:db8:300:4::a01:0/112",
        type: "unicast",
        device: "eth0",
        table: "main",
        protocol: "static",
        metric: 1024,
      }),
  },
  {
    name: "the blackhole route deleted",
    check: "blackhole-route",
    make: (s) => dropRoutes(s, (r) => r.type === "blackhole"),
  },
];
