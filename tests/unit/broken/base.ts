/** What a config is that must be refused, the two good ones that most are made of, and how. */

export interface BrokenConfig {
  name: string;
  yaml: string;
  /** "line:column" of the problem that counts. */
  at: string;
  /** Part of that problem's line. */
  says: string;
}

export const KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";

export const PEER = "tls://peer.example.net:443";

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
    - ${PEER}
  routes:
    - to: 10.0.0.0/8
      via: ${KEY}
`;

/** One of the good configs with one text replaced. */
export function edit(base: string, from: string, to: string): string {
  if (!base.includes(from)) throw new Error(`No ${JSON.stringify(from)} in the base config`);
  return base.replace(from, () => to);
}
export const wg = (name: string, from: string, to: string, at: string, says: string): BrokenConfig => ({
  name,
  yaml: edit(GOOD_INTERFACE, from, to),
  at,
  says,
});
export const ygg = (name: string, from: string, to: string, at: string, says: string): BrokenConfig => ({
  name,
  yaml: edit(GOOD_YGGDRASIL, from, to),
  at,
  says,
});
