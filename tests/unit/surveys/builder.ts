/** Surveys as a healthy machine would give them, made from the blueprint's own items; faults are made by changing them. */

import { type Blueprint, blueprint } from "../../../gateway/blueprint.ts";
import { parseConfig } from "../../../gateway/config/parse.ts";
import { factsOf, type Identity } from "../../../gateway/facts.ts";
import { type Journal, replay } from "../../../gateway/journal.ts";
import type { Ruleset, Survey } from "../../../gateway/survey.ts";
import { SCHEMAS, TODAY as SECOND } from "../keys.ts";
import { factsWithStandIn } from "../../../checks/settle.ts";
import { addressFromKey } from "../../../gateway/yggdrasil_address.ts";
import type { CheckInput } from "../../../checks/check.ts";
import { hostSeen } from "./host.ts";
import { linkSeen, put } from "./put.ts";

export const FAR = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";
export const OWN = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

export { TODAY as SECOND } from "../keys.ts";

export const CONFIGS = {
  interface: `
address: 10.5.0.1/32
prefix: 2001:db8:300:4::/96
overlay:
  type: interface
  interface: wg0
  routes: [{to: 10.0.0.0/8}]
`,
  yggdrasil: `
address: 10.5.0.1/32
prefix: 2001:db8:300:4::/96
overlay:
  type: yggdrasil
  peers: [tls://192.0.2.9:443]
  routes: [{to: 10.0.0.0/8, via: ${FAR}}]
`,
  node: `
address: 10.1.0.1/32
overlay:
  type: yggdrasil
  listen: ['tls://[::]:9001']
  routes: [{to: 10.5.0.1/32, via: ${FAR}}]
`,
  "two nodes": `
address: [10.5.0.1/24, 10.6.0.1]
prefix: 2001:db8:300:4::/96
overlay:
  type: yggdrasil
  peers: [tls://192.0.2.9:443]
  routes: [{to: 10.0.0.0/8, via: ${FAR}}, {to: 10.7.0.0/16, via: ${SECOND}}]
nat64: {maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}]}
`,
  "interface node": `
address: 10.1.0.1/32
overlay:
  type: interface
  interface: wg0
  routes: [{to: 10.5.0.1/32}]
`,
} as const;

export type Setup = keyof typeof CONFIGS;

/** A Debian with an uplink that has a static default route, the overlay link, and nothing else. */
function bareSurvey(ra: boolean): Survey {
  return {
    root: true,
    os: { id: "debian", version: "13", name: "Debian GNU/Linux 13 (trixie)" },
    systemd: true,
    tun: true,
    packages: {},
    files: {},
    sysctls: {
      "net/ipv4/ip_forward": "0",
      "net/ipv6/conf/all/forwarding": "0",
      "net/ipv6/conf/eth0/accept_ra": ra ? "1" : "0",
      "net/ipv4/conf/eth0/forwarding": "0",
    },
    links: [linkSeen("lo", { mtu: 65536 }), linkSeen("eth0"), linkSeen("wg0", { mtu: 1420 })],
    routes: [{
      family: "inet6",
      to: "default",
      type: "unicast",
      device: "eth0",
      via: "fe80::1",
      table: "main",
      protocol: ra ? "ra" : "boot",
      metric: 1024,
    }],
    policies: (["inet", "inet6"] as const).flatMap((family) =>
      Object.entries({ 0: "local", 32766: "main" }).map(([priority, table]) => ({
        family,
        priority: Number(priority),
        action: "lookup" as const,
        table,
      }))
    ),
    rules: { inet: {}, inet6: {} },
    nftables: [],
    units: {},
    unknown: [],
  };
}

export interface Options {
  ra?: boolean;
  tunnel?: "vxlan" | "ip6gre";
  /** The daemon has tunnel routing of this schema, and uses it. */
  ckr?: keyof typeof SCHEMAS;
  /** The rules of somebody else, before `up`. */
  rules?: Partial<Survey["rules"]>;
}

/** A machine after `crxn up`, with its journal. */
export async function healthy(setup: Setup, options: Options = {}): Promise<CheckInput> {
  const config = await parseConfig(CONFIGS[setup], "crxn.yaml");
  const survey: Survey = {
    ...bareSurvey(options.ra ?? false),
    ...(options.rules ? { rules: options.rules as Survey["rules"] } : {}),
  };
  const identity: Identity = {
    publicKey: OWN,
    address: addressFromKey(OWN),
    from: "config",
    text: `{ PrivateKey: "${"0".repeat(64)}${OWN}" }`,
  };
  const kind = options.ckr ? "ckr" as const : options.tunnel ?? "vxlan" as const;
  const more = config.overlay.type === "yggdrasil" ? { identity, tunnel: { kind, why: "a test" } } : {};
  if (config.overlay.type === "yggdrasil") survey.daemon = daemonSeen(options.ckr);
  const plan = blueprint(config, factsOf(config, survey, more));
  for (const item of plan.items) put(item, survey);
  for (const { name } of survey.links) survey.sysctls[`net/ipv4/conf/${name}/rp_filter`] = "0";
  survey.sysctls["net/ipv4/conf/all/rp_filter"] = "0";
  if (config.overlay.type === "yggdrasil") {
    const peer = {
      uri: config.overlay.peers[0] ?? "tls://192.0.2.77:9001",
      up: true,
      inbound: config.overlay.peers.length === 0,
      latency: 12,
    };
    survey.overlay = { publicKey: OWN, address: identity.address, peers: [peer] };
  }
  return { blueprint: plan, survey, host: hostSeen(plan), journal: journalOf(plan), troubles: [] };
}

const daemonSeen = (schema: keyof typeof SCHEMAS | undefined) => ({
  path: "/usr/sbin/yggdrasil",
  normalised: JSON.stringify({
    PrivateKey: "",
    ...(schema ? { TunnelRouting: Object.fromEntries(SCHEMAS[schema].map((name) => [name, null])) } : {}),
  }),
});

const journalOf = (plan: Blueprint): Journal =>
  replay(
    plan.items.filter((i) => i.kind !== "package").map((item) => ({
      v: 1 as const,
      did: { item, before: {} },
      at: "",
    })),
  );

/** The blueprint that the config gives on the machine as it is now: facts may have changed with a fault. */
export function recompute(input: CheckInput): CheckInput {
  const { config, facts } = input.blueprint;
  const more = {
    ...(facts.identity ? { identity: facts.identity } : {}),
    ...(facts.tunnel ? { tunnel: facts.tunnel } : {}),
  };
  return { ...input, blueprint: blueprint(config, factsWithStandIn(config, input.survey, more).facts) };
}

export const filterOf = (rules: Ruleset | undefined) => rules!["filter"]!;
