/** Blueprint: what a machine should be, computed from the config and a few facts, without touching anything. */

import sysctlTemplate from "../assets/sysctl.conf" with { type: "text" };
import taygaTemplate from "../assets/tayga.conf" with { type: "text" };
import { embed, slice } from "./address.ts";
import { hostAt } from "./networks.ts";
import type { Config } from "./config/types.ts";
import { CrxnError, Exit } from "./errors.ts";
import { type Facts, type Identity, TUNNEL_MTU } from "./facts.ts";
import { firewallItems } from "./firewall.ts";
import {
  addressItem,
  type FileItem,
  fileItem,
  type Item,
  type LinkItem,
  linkItem,
  packageItem,
  type PackageItem,
  type RouteItem,
  routeItem,
  serviceItem,
  type SysctlItem,
  sysctlItem,
  unwantedItem,
} from "./item.ts";
import { HEADER, Path, translatorDevice, tunnelDevice, Unit, unitPath, dropInPath } from "./names.ts";
import { fill } from "./template.ts";
import { firewallFiles, overlayUnitFile, translatorUnitFile, yggdrasilDropInFile } from "./units.ts";
import { addressFromKey } from "./yggdrasil_address.ts";
import { yggdrasilConfig } from "./yggdrasil_config.ts";

export interface Blueprint {
  config: Config;
  facts: Facts;
  /** The device on which overlay packets leave and arrive. */
  overlayDevice: string;
  /** tayga's device, on a gateway. */
  translatorDevice?: string;
  /** In the order in which they are made. */
  items: Item[];
}

/** High enough that every real route wins; it takes over when the overlay's own route is gone. */
const LAST_METRIC = 2147483647;

export function blueprint(config: Config, facts: Facts): Blueprint {
  const overlay = overlayItems(config, facts);
  const translator = translatorItems(config);
  const sysctls = sysctlItems(config, facts);
  const chains = firewallItems(config, facts, overlay);
  const daemon = config.overlay.type === "yggdrasil" ? Unit.yggdrasil : undefined;
  const { instance } = config.nat64 ?? {};
  const before = [Unit.overlay, ...(instance ? [Unit.translator(instance)] : [])];

  const files: FileItem[] = [
    fileItem(Path.sysctl, fill(sysctlTemplate, { header: HEADER, lines: sysctlLines(sysctls) })),
    ...firewallFiles(chains, before),
    overlayUnitFile([...overlay.links, ...overlay.sysctls, ...overlay.routes], daemon),
    ...overlay.files,
    ...(instance ? [taygaConfigFile(config), translatorUnitFile(instance, translator)] : []),
  ];
  return {
    config,
    facts,
    overlayDevice: overlay.overlayDevice,
    ...(instance ? { translatorDevice: translatorDevice(instance) } : {}),
    items: [
      ...packageItems(config),
      ...(instance ? [unwantedItem(Unit.sampleTranslator)] : []),
      ...files,
      ...sysctls,
      ...chains,
      ...overlay.links,
      ...overlay.sysctls,
      ...overlay.routes,
      ...translator,
      ...(chains.length > 0 ? [serviceItem(Unit.firewall)] : []),
      serviceItem(Unit.overlay),
      ...(daemon
        ? [serviceItem(daemon, {
          reads: [Path.yggdrasilConfig, dropInPath(daemon)],
          interrupts: "the overlay, until its peers are back",
          pulls: ["network-online.target"],
        })]
        : []),
      ...(instance
        ? [serviceItem(Unit.translator(instance), {
          reads: [Path.taygaConfig(instance), unitPath(Unit.translator(instance))],
          interrupts: "translation, for less than a second",
        })]
        : []),
    ],
  };
}

export const packageItems = (config: Config): PackageItem[] =>
  [
    "iproute2",
    "iptables",
    "iputils-ping",
    "nftables",
    "procps",
    ...(config.nat64 ? ["tayga"] : []),
    ...(config.overlay.type === "yggdrasil" ? ["yggdrasil"] : []),
  ].map(packageItem);

/** accept_ra first: see assets/sysctl.conf. */
const sysctlItems = (config: Config, facts: Facts): SysctlItem[] => [
  ...(config.nat64 ? facts.advertised.map((d) => sysctlItem(["net/ipv6/conf", d, "accept_ra"], "2")) : []),
  sysctlItem(["net/ipv4/ip_forward"], "1"),
  ...(config.nat64 ? [sysctlItem(["net/ipv6/conf/all/forwarding"], "1")] : []),
];

const sysctlLines = (items: SysctlItem[]) => items.map((i) => `${i.key} = ${i.value}`).join("\n");

interface OverlayItems {
  overlayDevice: string;
  tunnel?: "ip6gre" | "vxlan";
  links: LinkItem[];
  sysctls: SysctlItem[];
  /** Addresses and routes. */
  routes: Item[];
  files: FileItem[];
}

function overlayItems(config: Config, facts: Facts): OverlayItems {
  const { overlay } = config;
  if (overlay.type === "interface") {
    const routes = overlay.routes.map((r) => overlayRoute(r.to, overlay.interface, r.via));
    return {
      overlayDevice: overlay.interface,
      links: [],
      sysctls: [],
      files: [],
      routes: [addressItem(config.address, overlay.interface), ...routes, ...overlay.routes.map((r) => lastResort(r.to))],
    };
  }
  const { identity, tunnel } = facts;
  if (!identity || !tunnel) throw new Error("A yggdrasil overlay needs an identity and a tunnel");
  const [far] = overlay.routes;
  if (new Set(overlay.routes.map((r) => r.via)).size > 1) {
    throw new CrxnError(
      Exit.config,
      "overlay.routes names more than one far node, which is not supported yet.",
      "Give all routes the same `via`.",
    );
  }
  const device = far ? tunnelDevice(far.via) : overlay.interface;
  const links = [linkItem(overlay.interface, { type: "tun", user: "yggdrasil", mtu: 65535 }, Unit.yggdrasil)];
  if (far) links.push(linkItem(device, tunnelSpec(tunnel.kind, identity, far.via, overlay.interface)));
  return {
    overlayDevice: device,
    tunnel: tunnel.kind,
    links,
    // On a link with neighbours (VXLAN) each side answers for the hosts behind it, at once.
    sysctls: far && tunnel.kind === "vxlan"
      ? [
        sysctlItem(["net/ipv4/conf", device, "proxy_arp"], "1", device),
        sysctlItem(["net/ipv4/neigh", device, "proxy_delay"], "0", device),
      ]
      : [],
    routes: [
      addressItem(config.address, device),
      ...overlay.routes.map((r) => overlayRoute(r.to, device)),
      ...overlay.routes.map((r) => lastResort(r.to)),
    ],
    files: [
      fileItem(Path.yggdrasilConfig, yggdrasilConfig(overlay, identity), {
        mode: 0o640,
        group: "yggdrasil",
        secret: true,
      }),
      yggdrasilDropInFile(overlay.interface),
    ],
  };
}

function tunnelSpec(kind: "ip6gre" | "vxlan", own: Identity, key: string, underlay: string): LinkItem["spec"] {
  const ends = { local: own.address, remote: addressFromKey(key), underlay, mtu: TUNNEL_MTU };
  if (kind === "ip6gre") return { type: "ip6gre", ...ends };
  return { type: "vxlan", mac: macFromKey(own.publicKey), vni: 64, port: 4789, ...ends };
}

/**
 * A locally administered MAC address (IEEE 802, second bit of the first octet) out of this node's key: with a random
 * one the far end would send to the old address for up to 40 seconds after a reboot of this machine.
 */
const macFromKey = (key: string) => ["02", ...key.slice(0, 10).match(/../g)!].join(":");

const overlayRoute = (to: string, device: string, via?: string): RouteItem =>
  routeItem(to, { device, ...(via ? { via } : {}) });

/** When the overlay's link is gone, its packets must not leave by the uplink. */
const lastResort = (to: string): RouteItem => routeItem(to, { type: "unreachable", metric: LAST_METRIC });

function translatorItems(config: Config): Item[] {
  if (!config.nat64 || !config.prefix || !config.routed) return [];
  const { instance, pool, maps } = config.nat64;
  const device = translatorDevice(instance);
  return [
    // All of `routed` that is not the overlay: answered by nobody, looped to nobody.
    routeItem(config.routed, { type: "blackhole" }),
    linkItem(device, { type: "translator", config: Path.taygaConfig(instance) }, Unit.translator(instance)),
    routeItem(pool, { device }),
    ...maps.map((m) => routeItem(`${m.ipv4}/32`, { device })),
    // Only the overlay's slices: with the whole prefix the Internet would reach the machine's other networks.
    ...config.overlay.routes.map((r) => routeItem(slice(config.prefix!, r.to), { device })),
  ];
}

function taygaConfigFile(config: Config): FileItem {
  const { instance, pool, maps } = config.nat64!;
  const text = fill(taygaTemplate, {
    header: HEADER,
    device: translatorDevice(instance),
    ipv4: translatorAddress(pool),
    prefix: config.prefix!,
    pool,
    instance,
    maps: maps.map((m) => `map ${m.ipv4} ${m.ipv6}`).join("\n"),
  });
  return fileItem(Path.taygaConfig(instance), text);
}

/** tayga's own IPv4 address, the source of its ICMP errors: the first of the pool, which tayga then hands to nobody. */
export const translatorAddress = (pool: string): string => hostAt(pool, 1);

/** tayga's own IPv6 address: its IPv4 one in the prefix. */
export const translatorAddress6 = (config: Config): string =>
  embed(config.prefix!, translatorAddress(config.nat64!.pool));
