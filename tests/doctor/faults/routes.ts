import { type Fault, foreign, MAPPED, own, POOL, PREFIX_NET, SLICE } from "../fault.ts";

/** Routes of the gateway that are gone. */
const GONE: Fault[] = [
  own({
    id: "prefix-route",
    name: "the slice's route deleted",
    breaks: `ip -6 route del ${SLICE}`,
    hop: "translator",
    touches: ["prefix-route"],
  }),
  own({
    id: "pool-route",
    name: "the pool's route deleted",
    breaks: `ip route del ${POOL}`,
    hop: "translator",
    touches: ["pool-route"],
  }),
  own({
    id: "overlay-route",
    name: "the overlay's route deleted",
    breaks: "ip route del 10.0.0.0/8 dev $OVL",
    hop: "overlay",
    touches: ["overlay-route"],
  }),
  own({
    id: "overlay-route",
    name: "the unreachable route behind the overlay's deleted",
    breaks: "ip route del unreachable 10.0.0.0/8",
    touches: ["overlay-route"],
  }),
  own({
    id: "overlay-address",
    // On an existing link the follower puts it back within a second.
    scene: "yggdrasil",
    name: "the overlay address deleted",
    breaks: "ip addr del 10.5.0.1/32 dev $OVL",
    hop: "overlay",
    touches: ["overlay-route", "overlay-address"],
  }),
  own({
    id: "blackhole-route",
    name: "the blackhole route deleted",
    breaks: `ip -6 route del blackhole ${PREFIX_NET}`,
    touches: ["blackhole"],
  }),
];

/** A route of somebody else that takes packets from ours. */
const shadow = (family: "-4" | "-6", name: string, route: string, id: string, hop: Fault["hop"], touches: string) =>
  foreign({
    id,
    name,
    breaks: `ip ${family} route add ${route}`,
    undoes: `ip ${family} route del ${route}`,
    ...(hop ? { hop } : {}),
    touches: [touches],
  });

const SHADOWS: Fault[] = [
  shadow(
    "-6",
    "a narrower route into the uplink",
    `${MAPPED}/128 dev eth0`,
    "prefix-route",
    "translator",
    "prefix-route",
  ),
  shadow(
    "-6",
    "a prohibit route in the slice",
    "prohibit 2a04:5b80:300:4::a01:0/112",
    "prefix-route",
    "translator",
    "prefix-route",
  ),
  shadow(
    "-6",
    "a route of better metric to the slice",
    `${SLICE} via 2001:db8:9::1 dev eth0 metric 1`,
    "prefix-route",
    "translator",
    "prefix-route",
  ),
  foreign({
    id: "pool-route",
    name: "narrower routes to the pool",
    breaks: "ip route add 100.64.0.0/25 dev eth0; ip route add blackhole 100.64.0.128/25",
    undoes: "ip route del 100.64.0.0/25; ip route del 100.64.0.128/25",
    hop: "translator",
    touches: ["pool-route"],
  }),
  shadow(
    "-4",
    "a narrower route to an overlay network",
    "10.1.0.0/16 via 192.0.2.1",
    "overlay-route",
    "overlay",
    "overlay-route",
  ),
  shadow(
    "-4",
    "a prohibit route to an overlay host",
    "prohibit 10.1.0.3/32",
    "overlay-route",
    "overlay",
    "overlay-route",
  ),
];

/** A policy route. Table 100 leads to the router. */
const rule = (family: "-4" | "-6", name: string, rule: string, id: string, hop: Fault["hop"], touches: string) => {
  const to = family === "-6" ? "2001:db8:9::1" : "192.0.2.1";
  return foreign({
    id,
    name,
    says: /rule/,
    breaks: `ip ${family} route add default via ${to} dev eth0 table 100; ip ${family} rule add ${rule}`,
    undoes: `ip ${family} rule del ${rule}; ip ${family} route flush table 100`,
    ...(hop ? { hop } : {}),
    touches: [touches, "rules"],
  });
};

const RULES: Fault[] = [
  rule("-6", "an ip rule for the slice", `to ${SLICE} lookup 100`, "prefix-route", "translator", "prefix-route"),
  rule(
    "-6",
    "an ip rule that prohibits the slice",
    `to ${SLICE} prohibit`,
    "prefix-route",
    "translator",
    "prefix-route",
  ),
  rule(
    "-6",
    "an ip rule for what comes in by the uplink",
    "iif eth0 lookup 100",
    "prefix-route",
    "translator",
    "prefix-route",
  ),
  rule("-4", "an ip rule for answers to the pool", `to ${POOL} lookup 100`, "pool-route", "translator", "pool-route"),
  rule(
    "-4",
    "an ip rule for what comes from the pool",
    `from ${POOL} lookup 100`,
    "overlay-route",
    "overlay",
    "overlay-route",
  ),
  rule(
    "-4",
    "an ip rule for an overlay network",
    "to 10.1.0.0/16 lookup 100",
    "overlay-route",
    "overlay",
    "overlay-route",
  ),
  foreign({
    id: "prefix-route",
    name: "an ip rule for a firewall mark",
    says: /mark/,
    breaks: `ip6tables -t mangle -I PREROUTING -i eth0 -d ${SLICE} -j MARK --set-mark 7
      ip -6 route add default via 2001:db8:9::1 dev eth0 table 100; ip -6 rule add fwmark 7 lookup 100`,
    undoes: `ip6tables -t mangle -D PREROUTING -i eth0 -d ${SLICE} -j MARK --set-mark 7
      ip -6 rule del fwmark 7 lookup 100; ip -6 route flush table 100`,
    hop: "translator",
    touches: ["prefix-route", "rules"],
  }),
  foreign({
    id: "conflicts",
    name: "an address of the prefix on the machine",
    breaks: `ip -6 addr add ${MAPPED}/128 dev lo`,
    undoes: `ip -6 addr del ${MAPPED}/128 dev lo`,
    hop: "translator",
    traffic: "flows",
    touches: ["prefix-route"],
  }),
];

/** What leads packets elsewhere. */
export const ROUTE_FAULTS: Fault[] = [...GONE, ...SHADOWS, ...RULES];
