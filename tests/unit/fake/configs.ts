/** Configs that a machine may go through, one after the other. */

import { sha256 } from "../../rig/paths.ts";
import { elf } from "./web.ts";

export const FAR = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";
export const OTHER_FAR = "1fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";

/** A daemon that every fake machine can fetch. */
export const FETCHED = { url: "https://example.net/fetched", sum: await sha256(elf("fetched")) };

/** A daemon with tunnel routing (schema 2) that every fake machine has. */
export const CKR_DAEMON = "/opt/yggdrasilckr";

interface Parts {
  address?: string;
  prefix?: string | null;
  more?: string;
  overlay?: string;
  routes?: string;
  nat64?: string;
}

const text = ({ address = "10.5.0.1/32", prefix = "2a04:5b80:300:4::/96", more = "", overlay, routes, nat64 }: Parts) =>
  [
    `address: ${address}`,
    ...(prefix ? [`prefix: ${prefix}`] : []),
    ...(more ? [more] : []),
    "overlay:",
    ...(overlay ?? "type: interface\ninterface: wg0").split("\n").map((l) => `  ${l}`),
    `  routes: [${routes ?? "{to: 10.0.0.0/8}"}]`,
    ...(nat64 ? [`nat64: {${nat64}}`] : []),
    "",
  ].join("\n");

const ygg = "type: yggdrasil\ntunnel: vxlan\npeers: ['tls://192.0.2.9:443']";
const toFar = `{to: 10.0.0.0/8, via: ${FAR}}`;
const toOther = `{to: 10.7.0.0/16, via: ${OTHER_FAR}}, {to: 172.20.0.0/14, via: ${OTHER_FAR}}`;
const ckr = `${ygg.replace("vxlan", "ckr")}\ndaemon: ${CKR_DAEMON}`;

export const WALK: Record<string, string> = {
  "interface gateway": text({}),
  "another address": text({ address: "10.5.0.9/32" }),
  "a next hop": text({ routes: "{to: 10.0.0.0/8, via: 10.5.0.254}, {to: 172.20.0.0/14}" }),
  "other clients and mss": text({ nat64: "clients: ['2001:db8::/32', '2001:db9::/32'], mss: 1220" }),
  "mss off, another pool": text({ nat64: "mss: off, pool: 100.96.0.0/16" }),
  "translators side by side": text({
    nat64: "workers: 3, maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}, {ipv4: 10.5.0.3, ipv6: '2001:db8::3'}]",
  }),
  "two translators": text({ nat64: "workers: 2" }),
  "another instance": text({ nat64: "instance: b, maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}]" }),
  "another prefix": text({ prefix: "2a04:5b80:300:5::/96", more: "routed: 2a04:5b80:300::/48" }),
  "yggdrasil gateway": text({ overlay: ygg, routes: toFar }),
  "ip6gre": text({ overlay: ygg.replace("vxlan", "ip6gre"), routes: toFar }),
  "another far node": text({ overlay: ygg, routes: toFar.replace(FAR, OTHER_FAR) }),
  "another overlay device": text({ overlay: `${ygg}\ninterface: ygg1\nlisten: ['tls://[::]:9001']`, routes: toFar }),
  "yggdrasil node": text({ prefix: null, overlay: ygg, routes: toFar }),
  "yggdrasil with a fetched daemon": text({
    overlay: `${ygg}\ndaemon: {url: '${FETCHED.url}', sha256: '${FETCHED.sum}'}`,
    routes: toFar,
  }),
  "two far nodes": text({ overlay: ygg, routes: `${toFar}, ${toOther}` }),
  "two far nodes in another order": text({ overlay: ygg, routes: `${toOther}, ${toFar}` }),
  "two far nodes by ip6gre": text({ overlay: ygg.replace("vxlan", "ip6gre"), routes: `${toFar}, ${toOther}` }),
  "two addresses, maps and local": text({
    address: "[10.5.0.1/24, 10.6.0.1]",
    overlay: `${ygg}\nlocal: [10.6.1.0/24]`,
    routes: `${toFar}, ${toOther}`,
    nat64: "maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}, {ipv4: 10.5.0.3, ipv6: '2001:db8::3'}]",
  }),
  "tunnel routing": text({ overlay: ckr, routes: `${toFar}, ${toOther}` }),
  "tunnel routing in another order": text({ overlay: ckr, routes: `${toOther}, ${toFar}` }),
  "tunnel routing to one": text({ overlay: ckr.replace("ckr", "auto"), routes: toOther }),
  "tunnel routing left alone": text({ overlay: ckr.replace("tunnel: ckr", "tunnel: vxlan"), routes: toFar }),
  "interface node": text({ prefix: null }),
};

/** 10.0.0.0/24 and those that follow it, or each `step`-th of them. */
export const networksOf = (count: number, step = 1): string[] =>
  Array.from({ length: count }, (_, n) => n * step).map((i) => `10.${i >> 8}.${i & 255}.0/24`);

/**
 * A gateway over an existing link, with that many networks and maps. The first network is that of the labs' overlay host.
 * @param step with 2, of networks and hosts none is another's neighbour
 */
export function manyNetworks(count: number, link: string, step = 1): string {
  const first = "10.1.0.0/24";
  const networks = [first, ...networksOf(count, step).filter((to) => to !== first)].slice(0, count);
  const maps = networks.map((_, n) => n * step).map((i) =>
    `    - {ipv4: 10.200.${i >> 8}.${i & 255}, ipv6: "2001:db8:9::${(i + 1).toString(16)}"}\n`
  );
  return `address: 10.200.255.1/16
prefix: 2a04:5b80:300:4::/96
overlay:
  type: interface
  interface: ${link}
  routes:
${networks.map((to) => `    - to: ${to}\n`).join("")}nat64:
  maps:
${maps.join("")}`;
}

/** A tayga.conf as the operator's notes have it. */
export const HAND_MADE_CONF = `# mine
tun-device nat64-ygg
ipv4-addr 100.64.0.1
prefix 2001:db8:300:4::/96
dynamic-pool 100.64.0.0/16
data-dir /var/lib/tayga/ygg
`;
