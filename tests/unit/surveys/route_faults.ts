/** Faults of routing: rules of the routing policy, shadowing routes, rp_filter, renamed devices. */

import type { PolicySeen, RouteSeen, Survey } from "../../../gateway/survey.ts";
import { type Fault, TUNNEL } from "./fault.ts";
import { linkSeen } from "./put.ts";

const PREFIX = "2001:db8:300:4::";

/** Puts a rule in its place. */
export function addPolicy(survey: Survey, rule: Partial<PolicySeen> & Pick<PolicySeen, "family">): void {
  const made: PolicySeen = { priority: 100, action: "lookup", ...rule };
  if (made.action === "lookup") made.table ??= "100";
  survey.policies = [...survey.policies!, made].sort((a, b) => a.priority - b.priority);
}

export const routeSeen = (to: string, more: Partial<RouteSeen> = {}): RouteSeen => ({
  family: to.includes(":") || more.family === "inet6" ? "inet6" : "inet",
  to,
  type: "unicast",
  table: "main",
  protocol: "boot",
  metric: to.includes(":") ? 1024 : 0,
  ...more,
});

const add = (to: string, more: Partial<RouteSeen> = {}) => (s: Survey) => void s.routes.push(routeSeen(to, more));
const rule = (policy: Parameters<typeof addPolicy>[1], ...routes: RouteSeen[]) => (s: Survey) => {
  addPolicy(s, policy);
  s.routes.push(...routes);
};
const table100 = (to: string, more: Partial<RouteSeen> = {}) =>
  routeSeen(to, { table: "100", device: "eth0", ...more });

/** A device, its addresses and routes under a new name. */
const rename = (from: string, to: string) => (s: Survey) => {
  s.links.find((l) => l.name === from)!.name = to;
  for (const r of s.routes) if (r.device === from) r.device = to;
  for (const key of Object.keys(s.sysctls).filter((k) => k.includes(`/${from}/`))) {
    s.sysctls[key.replace(`/${from}/`, `/${to}/`)] = s.sysctls[key]!;
    delete s.sysctls[key];
  }
};
const offline = (s: Survey) => void (s.routes = s.routes.filter((r) => r.to !== "default"));

export const ROUTE_FAULTS: Fault[] = [
  {
    name: "a rule that leads the slice into another table",
    check: "prefix-route",
    make: rule({ family: "inet6", to: `${PREFIX}/64` }, table100(`${PREFIX}/64`)),
  },
  {
    name: "a rule that prohibits one host of the slice",
    check: "prefix-route",
    make: rule({ family: "inet6", to: `${PREFIX}a01:3/128`, action: "prohibit" }),
  },
  {
    name: "a prohibit route of one host",
    check: "prefix-route",
    make: add(`${PREFIX}a01:3/128`, { type: "prohibit" }),
  },
  {
    name: "a prohibit route, found by a rule of wg-quick that leads to main",
    check: "prefix-route",
    make: (s) => {
      addPolicy(s, { family: "inet6", priority: 32764, table: "main", suppress: 0 });
      add(`${PREFIX}a01:3/128`, { type: "prohibit" })(s);
    },
  },
  {
    name: "the slice with a better metric elsewhere",
    check: "prefix-route",
    make: add(`${PREFIX}a00:0/104`, { device: "eth0", metric: 10 }),
  },
  {
    name: "a rule that leads the pool into another table",
    check: "pool-route",
    make: rule({ family: "inet", to: "100.64.0.0/16" }, table100("default")),
  },
  {
    name: "a rule that drops what the overlay sends",
    check: "pool-route",
    make: rule({ family: "inet", from: "10.1.0.0/16", action: "blackhole" }),
  },
  {
    name: "a rule by mark for what comes in by the overlay",
    check: "pool-route",
    make: (s) => {
      rule({ family: "inet", mark: { value: 7, mask: 0xffffffff } }, table100("default"))(s);
      const words = ["-i", "wg0", "-j", "MARK", "--set-xmark", "0x7/0xffffffff"];
      s.rules.inet!["mangle"]!["PREROUTING"] = { name: "PREROUTING", policy: "ACCEPT", rules: [words] };
    },
  },
  {
    name: "a rule by mark for what comes in by a tunnel, behind the gateway's own guard",
    setup: "yggdrasil",
    check: "pool-route",
    make: (s) => {
      rule({ family: "inet", mark: { value: 7, mask: 0xffffffff } }, table100("default"))(s);
      const words = ["-i", TUNNEL, "-j", "MARK", "--set-xmark", "0x7/0xffffffff"];
      s.rules.inet!["mangle"]!["PREROUTING"]!.rules.push(words);
    },
  },
  { name: "a blackhole inside the pool", check: "pool-route", make: add("100.64.0.0/24", { type: "blackhole" }) },
  {
    name: "a rule that leads the pool's own packets elsewhere",
    check: "overlay-route",
    make: rule({ family: "inet", from: "100.64.0.0/16" }, table100("default")),
  },
  { name: "a narrower route inside the overlay", check: "overlay-route", make: add("10.1.0.0/16", { device: "eth0" }) },
  { name: "a throw route inside the overlay", check: "overlay-route", make: add("10.1.0.0/16", { type: "throw" }) },
  {
    name: "a rule for TCP alone",
    check: "overlay-route",
    make: rule({ family: "inet", to: "10.0.0.0/8", also: ["ipproto", "tcp"] }, table100("default")),
  },
  {
    name: "a rule for everything, which many packets meet",
    check: "overlay-route",
    make: rule({ family: "inet" }, table100("default", { type: "prohibit" })),
  },
  {
    name: "a rule that leads to another rule before main",
    check: "overlay-route",
    make: (s) => {
      rule({ family: "inet", action: "goto", goto: 200, priority: 50 })(s);
      rule({ family: "inet", priority: 200 }, table100("default"))(s);
    },
  },
  {
    name: "a rule of the node for what it sends itself",
    setup: "node",
    check: "overlay-route",
    make: rule({ family: "inet", from: "10.1.0.1/32" }, table100("default")),
  },
  {
    name: "a rule that takes packets for the machine's address away",
    check: "overlay-address",
    make: (s) => {
      for (const p of s.policies!) if (p.table === "local" && p.family === "inet") p.priority = 1000;
      s.policies!.sort((a, b) => a.priority - b.priority);
      rule({ family: "inet", to: "10.5.0.1/32" }, table100("default"))(s);
    },
  },
  {
    name: "a rule that ends answers to clients",
    check: "uplink",
    make: rule({ family: "inet6", from: `${PREFIX}/64`, action: "unreachable" }),
  },
  {
    name: "a rule that sends answers to clients into the overlay",
    check: "uplink",
    make: rule({ family: "inet6", iif: "nat64-ygg" }, table100("default", { family: "inet6", device: "wg0" })),
  },
  {
    name: "the routed network leaking by a better metric",
    check: "blackhole-route",
    make: add(`${PREFIX}/64`, { device: "eth0", metric: 10, via: "fe80::1" }),
  },
  {
    name: "the tunnel's packets led elsewhere",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s, input) => {
      const { address } = input.blueprint.facts.identity!;
      const own = { address: `${address}/7`, family: "inet6" as const, scope: "global", dynamic: false };
      s.links.find((l) => l.name === "ygg")!.addresses.push(own);
      add("200::/7", { device: "ygg", protocol: "kernel", metric: 256 })(s);
      rule({ family: "inet6", to: "200::/7" }, table100("default", { family: "inet6" }))(s);
    },
  },
  {
    name: "strict rp_filter, and a mark that only the way there has",
    check: "rp-filter",
    make: (s) => {
      s.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
      rule({ family: "inet", mark: { value: 7, mask: 0xff } }, table100("10.0.0.0/8", { device: "wg0" }))(s);
      rule({ family: "inet", from: "100.64.0.0/16", to: "10.0.0.0/8", table: "101", priority: 101 })(s);
      s.routes.push(table100("10.0.0.0/8", { table: "101" }));
      const words = ["-i", "nat64-ygg", "-j", "MARK", "--set-xmark", "0x7/0xffffffff"];
      s.rules.inet!["mangle"]!["PREROUTING"] = { name: "PREROUTING", policy: "ACCEPT", rules: [words] };
    },
  },
  {
    name: "strict rp_filter beside a route that leads the way back elsewhere",
    check: "overlay-route",
    make: (s) => {
      s.sysctls["net/ipv4/conf/wg0/rp_filter"] = "1";
      add("10.1.0.0/16", { device: "eth0" })(s);
    },
  },
  {
    name: "strict rp_filter, and the overlay's route deleted",
    check: "overlay-route",
    make: (s) => {
      s.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
      s.routes = s.routes.filter((r) => r.to !== "10.0.0.0/8" || r.type !== "unicast");
    },
  },
  { name: "the uplink renamed", options: { ra: true }, check: "uplink", make: rename("eth0", "lan7") },
  {
    name: "the uplink renamed, and without a network under its new name",
    options: { ra: true },
    check: "uplink",
    make: (s) => {
      rename("eth0", "lan7")(s);
      offline(s);
      s.links.push(linkSeen("eth1"));
      s.links.find((l) => l.name === "lan7")!.addresses = [
        { address: "192.0.2.10/24", family: "inet", scope: "global", dynamic: false },
      ];
    },
  },
  {
    name: "the uplink down",
    options: { ra: true },
    check: "uplink",
    make: (s) => {
      s.links.find((l) => l.name === "eth0")!.up = false;
      offline(s);
    },
  },
  {
    name: "the overlay link renamed",
    check: "tunnel-routing",
    make: (s) => {
      rename("wg0", "wg9")(s);
      delete s.sysctls["net/ipv4/conf/wg9/forwarding"];
    },
  },
  { name: "a tunnel renamed", setup: "yggdrasil", check: "tunnel-routing", make: rename(TUNNEL, "odd") },
];
