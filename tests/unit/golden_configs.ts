/** The configs whose every rendered file is kept under golden/, with the facts of the machine each is for. */

import type { CkrSetting } from "../../gateway/capability.ts";
import type { Facts } from "../../gateway/facts.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { FAR } from "./fake/configs.ts";
import { OLD_KEYS, OLD_NODES, SCHEMAS, TODAY as SECOND } from "./keys.ts";

const OWN = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

export const FACTS: Facts = {
  uplink: { name: "eth0", mtu: 1500 },
  advertised: [],
  overlayMtu: 1420,
  drops: { INPUT: { inet: false, inet6: false }, FORWARD: { inet: false, inet6: false } },
};

const yggdrasil = (kind: "vxlan" | "ip6gre"): Partial<Facts> => ({
  overlayMtu: 1500,
  identity: {
    publicKey: OWN,
    address: addressFromKey(OWN),
    from: "new",
    keys: { PrivateKey: "5".repeat(64) + OWN },
  },
  tunnel: { kind, why: "a test" },
});

/** A daemon with tunnel routing. */
const ckr = (settings: readonly CkrSetting[]): Partial<Facts> => ({
  ...yggdrasil("vxlan"),
  daemon: { generation: "0.5", ckr: [...settings] },
  tunnel: { kind: "ckr", why: "a test" },
});

const GATEWAY = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}
`;
const overYggdrasil = `overlay:
  type: yggdrasil
  peers: ['tls://peer.example.net:443', 'quic://[2001:db8::7]:9001?key=${FAR}']
  listen: ['tls://[::]:9001']
  routes: [{to: 10.0.0.0/8, via: ${FAR}}, {to: 172.20.0.0/14, via: ${FAR}}]
`;
/** FAR for all, and SECOND for a part of it and more. */
const twoNodes = `overlay:
  type: yggdrasil
  peers: ['tls://peer.example.net:443']
  routes: [{to: 10.0.0.0/8, via: ${FAR}}, {to: 10.7.0.0/16, via: ${SECOND}}, {to: 172.20.0.0/14, via: ${SECOND}}]
`;

export const GOLDEN: Record<string, { config: string; facts?: Partial<Facts> }> = {
  "interface": { config: GATEWAY },
  "interface-via-maps": {
    config: GATEWAY.replace("{to: 10.0.0.0/8}", "{to: 10.0.0.0/8, via: 10.5.0.254}, {to: 172.20.0.0/14}") +
      "nat64: {maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}], clients: ['2001:db8::/32', '2001:db9:1::/48']}\n",
  },
  "yggdrasil-vxlan": {
    config: `address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\n${overYggdrasil}`,
    facts: yggdrasil("vxlan"),
  },
  "yggdrasil-ip6gre": {
    config: `address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\n${overYggdrasil}`,
    facts: yggdrasil("ip6gre"),
  },
  "yggdrasil-node": { config: `address: 10.1.0.1/32\n${overYggdrasil}`, facts: yggdrasil("vxlan") },
  "interface-node": { config: GATEWAY.replace(/prefix.*\n/, "") },
  "prefix-64": { config: GATEWAY.replace("2a04:5b80:300:4::/96", "2a04:5b80:300:4::/64") },
  "prefix-48": { config: GATEWAY.replace("2a04:5b80:300:4::/96", "2a04:5b80:300::/48") },
  "router-advertisement": { config: GATEWAY, facts: { advertised: ["eth0", "eth0.100"] } },
  "forward-drops": {
    config: `address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\n${overYggdrasil}`,
    facts: {
      ...yggdrasil("vxlan"),
      drops: { INPUT: { inet: true, inet6: true }, FORWARD: { inet: true, inet6: true } },
    },
  },
  "node-forward-drops": {
    config: `address: 10.1.0.1/32\n${overYggdrasil}`,
    facts: {
      ...yggdrasil("ip6gre"),
      drops: { INPUT: { inet: false, inet6: false }, FORWARD: { inet: true, inet6: false } },
    },
  },
  "mss-off": { config: `${GATEWAY}nat64: {mss: off}\n` },
  "workers": {
    config: GATEWAY +
      "nat64: {workers: 3, maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}, {ipv4: 10.5.0.3, ipv6: '2001:db8::3'}]}\n",
  },
  "mss-number": { config: `${GATEWAY}nat64: {mss: 1220}\n` },
  "two-nodes-vxlan": {
    config: `address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\n${twoNodes}`,
    facts: yggdrasil("vxlan"),
  },
  "two-nodes-ip6gre": { config: `address: 10.5.0.1/32\n${twoNodes}`, facts: yggdrasil("ip6gre") },
  "two-addresses-maps-local": {
    config: `address: [10.5.0.1/24, 10.6.0.1]\nprefix: 2a04:5b80:300:4::/96\n${twoNodes}  local: [10.5.1.0/24]
nat64: {maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}, {ipv4: 10.9.0.2, ipv6: '2001:db8::3'}]}\n`,
    facts: yggdrasil("vxlan"),
  },
  "ckr-0.3": {
    config: `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  daemon: /usr/local/bin/yggdrasil-0.3
  peers: ['tcp://peer.example.net:9001']
  routes: [{to: 10.0.0.0/8, via: ${OLD_NODES[1].box}}, {to: 10.7.0.0/16, via: ${OLD_NODES[2].box}}]
`,
    facts: {
      ...ckr(SCHEMAS["0.3"]),
      daemon: { generation: "0.3", ckr: [...SCHEMAS["0.3"]] },
      identity: { publicKey: OLD_NODES[0].box, address: OLD_NODES[0].address, from: "new", keys: OLD_KEYS },
    },
  },
  "ckr-schema2": {
    config: `address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\n${twoNodes}`,
    facts: ckr(SCHEMAS["2"]),
  },
  "ckr-newest": {
    config: `address: [10.1.0.1/16, 10.6.0.1/32]\n${twoNodes.replace("10.0.0.0/8", "10.128.0.0/9")}`,
    facts: ckr(SCHEMAS["newest"]),
  },
  "upkeep": {
    config: `${GATEWAY}upkeep: {mend: 5min, metrics: /var/lib/prometheus/node-exporter/crxn.prom}\n`,
    facts: { caller: { command: ["/usr/local/bin/crxn"], config: "/etc/crxn/crxn.yaml" } },
  },
  "instance": { config: `${GATEWAY}nat64: {instance: crxn-2, pool: 192.168.64.0/18}\n` },
};
