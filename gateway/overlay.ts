/** The overlay's side: its link or its daemon and tunnel, and the addresses and routes on them. Pure. */

import type { Config } from "./config/types.ts";
import { daemonPath } from "./daemon.ts";
import { CrxnError, Exit } from "./errors.ts";
import { type Facts, type Identity, TUNNEL_MTU } from "./facts.ts";
import {
  addressItem,
  type FileItem,
  fileItem,
  type Item,
  type LinkItem,
  linkItem,
  type RouteItem,
  routeItem,
  type SysctlItem,
  sysctlItem,
} from "./item.ts";
import { Path, tunnelDevice, Unit } from "./names.ts";
import { yggdrasilDropInFile } from "./units.ts";
import { addressFromKey } from "./yggdrasil_address.ts";
import { yggdrasilConfig } from "./yggdrasil_config.ts";

/** High enough that every real route wins; it takes over when the overlay's own route is gone. */
const LAST_METRIC = 2147483647;

export interface OverlayItems {
  overlayDevice: string;
  tunnel?: "ip6gre" | "vxlan";
  links: LinkItem[];
  sysctls: SysctlItem[];
  /** Addresses and routes. */
  routes: Item[];
  files: FileItem[];
}

export function overlayItems(config: Config, facts: Facts): OverlayItems {
  const { overlay } = config;
  if (overlay.type === "interface") {
    const routes = overlay.routes.map((r) => overlayRoute(r.to, overlay.interface, r.via));
    return {
      overlayDevice: overlay.interface,
      links: [],
      sysctls: [],
      files: [],
      // The last resorts first: at boot they hold while the link is waited for.
      routes: [
        ...overlay.routes.map((r) => lastResort(r.to)),
        addressItem(config.address, overlay.interface),
        ...routes,
      ],
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
      ...overlay.routes.map((r) => lastResort(r.to)),
      addressItem(config.address, device),
      ...overlay.routes.map((r) => overlayRoute(r.to, device)),
    ],
    files: [
      fileItem(Path.yggdrasilConfig, yggdrasilConfig(overlay, identity), {
        mode: 0o640,
        group: "yggdrasil",
        secret: true,
      }),
      yggdrasilDropInFile(overlay.interface, daemonPath(overlay.daemon)),
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
