/** Facts: the few things about a machine that its blueprint depends on. Everything else comes from the config alone. Pure. */

import { Program } from "./action.ts";
import { type Capability, capabilityOf, STOCK } from "./capability.ts";
import type { Config, Overlay } from "./config/types.ts";
import { daemonPath } from "./daemon.ts";
import { CrxnError, Exit } from "./errors.ts";
import { type HandWork, handWorkOf } from "./hand_work.ts";
import type { Family } from "./item.ts";
import { LAST_METRIC, OWN_PROTOCOL, Path, Unit } from "./names.ts";
import { dropsOf } from "./netfilter/drops.ts";
import { canonicalNetwork } from "./networks.ts";
import { defaultUplink, linkOf, type Survey } from "./survey.ts";
import { workersOf } from "./workers.ts";
import { hasOldKeys } from "./yggdrasil_config.ts";

export interface Facts {
  /** The interface to the IPv6 Internet. */
  uplink: { name: string; mtu: number };
  /** Interfaces that get their addresses, or default route, by router advertisement from the kernel. */
  advertised: string[];
  /** Bytes; of the existing link, or what our tunnel gets. */
  overlayMtu: number;
  /** Somebody's firewall drops what is not accepted: then our chains accept, otherwise they only let pass. */
  drops: Record<"INPUT" | "FORWARD", Record<Family, boolean>>;
  /** yggdrasil: this node's keys, and its config as it stands. */
  identity?: Identity;
  /** yggdrasil: what the daemon can do. */
  daemon?: Capability;
  /** yggdrasil: how IPv4 travels, which `tunnel: auto` came to, and why. */
  tunnel?: { kind: "ckr" | "ip6gre" | "vxlan"; why: string };
  /** Local UDP ports that VXLAN tunnels of ours have already, by device. */
  ports?: Record<string, number>;
  /** Of the route that answers to nobody, where another one for the same network has its usual metric. */
  routedMetric?: number;
  /** By unit: what drop-ins of others do of crxn's work. */
  handWork?: Record<string, HandWork>;
  /** Bytes of TCP's data that passed when the path was measured, where that is less than the links say. */
  measuredMss?: number;
  /** How units call crxn, where any of them does. */
  caller?: Caller;
}

/** How a unit calls crxn: its program with what comes before the command, and the config's absolute path. */
export interface Caller {
  command: string[];
  config: string;
}

/** What else is known about the machine when its facts are drawn up. */
export type MoreFacts = Pick<Facts, "identity" | "tunnel" | "ports" | "measuredMss" | "caller">;

/** Who this node is. `keys` is set only when the identity is not in the daemon's config yet. */
export interface Identity {
  /** 64 hex digits: ed25519, or X25519 for yggdrasil 0.3. */
  publicKey: string;
  address: string;
  /** `config`: from the daemon's own file; `kept`: from an earlier time; `new`: made just now. */
  from: "config" | "kept" | "new";
  /** The settings of the daemon's config that make it this node: all hex digits. */
  keys?: Record<string, string>;
  /** The daemon's config as it stands, if there is one. */
  text?: string;
}

/** Inner MTU of a tunnel between yggdrasil nodes: its underlay carries 53,049 bytes and more. */
export const TUNNEL_MTU = 1500;

/** @throws CrxnError 69 when the machine has no interface for the uplink or the overlay. */
export function factsOf(
  config: Config,
  survey: Survey,
  more: MoreFacts = {},
): Facts {
  const daemon = config.overlay.type === "yggdrasil" ? { daemon: daemonOf(survey, config.overlay) } : {};
  const uplink = uplinkOf(config, survey);
  return {
    ...daemon,
    uplink,
    advertised: advertisedOf(config, survey),
    overlayMtu: config.overlay.type === "interface"
      ? linkOf(survey, config.overlay.interface)?.mtu ?? TUNNEL_MTU
      : TUNNEL_MTU,
    drops: dropsOf(config, survey, { ...daemon, uplink, ...more }),
    ...routedMetricOf(config, survey),
    ...handWorkIn(config, survey),
    ...more,
  };
}

/**
 * systemd-networkd gives a network that a router advertises as on-link the very metric of our own route for it, and one of the
 * two would take the other's place. Once ours is behind it stays there.
 */
function routedMetricOf({ routed, nat64 }: Config, { routes }: Survey): Pick<Facts, "routedMetric"> {
  const to = routed && nat64 ? canonicalNetwork(routed) : undefined;
  const there = routes.filter((r) => r.family === "inet6" && r.table === "main" && r.to === to);
  const behind = there.some((r) =>
    r.protocol === OWN_PROTOCOL ? r.type === "blackhole" && r.metric === LAST_METRIC : r.metric === USUAL_METRIC
  );
  return behind ? { routedMetric: LAST_METRIC } : {};
}

/** Of an IPv6 route that names none; ip-route(8). */
const USUAL_METRIC = 1024;

function handWorkIn(config: Config, survey: Survey): Pick<Facts, "handWork"> {
  const found = workersOf(config).map((w) => Unit.translator(w.instance)).flatMap((unit) => {
    const work = handWorkOf(unit, survey);
    return work ? [[unit, work] as const] : [];
  });
  return found.length > 0 ? { handWork: Object.fromEntries(found) } : {};
}

/**
 * What the daemon can do; one that is not there, or not yet, is taken for Debian's. But another one's generation shows in
 * the config that is there for it.
 */
export function daemonOf({ daemon, files }: Pick<Survey, "daemon" | "files">, overlay: Overlay): Capability {
  const asked = daemon?.normalised === undefined ? undefined : capabilityOf(daemon.normalised);
  if (asked) return asked;
  const own = overlay.type === "yggdrasil" && daemonPath(overlay.daemon) !== Program.yggdrasil;
  return own && hasOldKeys(files[Path.yggdrasilConfig]?.content ?? "") ? { generation: "0.3" } : STOCK;
}

function uplinkOf(config: Config, survey: Survey): Facts["uplink"] {
  const name = config.uplink ?? defaultUplink(survey)?.device ?? defaultUplink(survey, "inet")?.device ??
    connected(config, survey);
  const link = name === undefined ? undefined : linkOf(survey, name);
  if (link) return { name: link.name, mtu: link.mtu };
  if (name !== undefined) {
    throw new CrxnError(
      Exit.unavailable,
      `The uplink "${name}" does not exist on this machine.`,
      `Set "uplink" to one of: ${names(survey)}.`,
    );
  }
  // An overlay node needs no Internet of its own.
  if (!config.prefix) return { name: "lo", mtu: 65536 };
  throw new CrxnError(
    Exit.unavailable,
    "This machine has no IPv6 default route and no IPv6 address, so there is no uplink to serve.",
    `Give it one, or set "uplink" to one of: ${names(survey)}.`,
  );
}

/** Without any default route: the first interface with a global IPv6 address that is neither the overlay's nor ours. */
function connected(config: Config, survey: Survey): string | undefined {
  const others = survey.links.filter((l) => l.name !== "lo" && l.name !== config.overlay.interface && l.kind !== "tun");
  return others.find((l) => l.addresses.some((a) => a.family === "inet6" && a.scope === "global"))?.name;
}

const names = (survey: Survey) => survey.links.map((l) => l.name).filter((n) => n !== "lo").join(", ") || "(none)";

/**
 * Where forwarding would cost the machine its default route: accept_ra=1 means "unless forwarding" (ip-sysctl.rst).
 * 2 counts as well: once set it stays wanted, whatever the route does at the moment of looking.
 */
function advertisedOf(config: Config, survey: Survey): string[] {
  const acceptRa = (device: string) => Number(survey.sysctls[`net/ipv6/conf/${device}/accept_ra`] ?? 0);
  const uplink = config.uplink ?? defaultUplink(survey)?.device;
  const byRouter = survey.routes
    .filter((r) => r.family === "inet6" && r.to === "default" && r.protocol === "ra" && r.device)
    .map((r) => r.device!);
  // A network without a way out is advertised as well: its addresses end when nobody hears of them any more.
  // Over the overlay's link nobody is to announce himself as a router: there it stays as it is.
  const bySlaac = survey.links
    .filter(({ name }) => name !== config.overlay.interface)
    .filter(({ addresses }) => addresses.some((a) => a.family === "inet6" && a.scope === "global" && a.dynamic))
    .map(({ name }) => name);
  return survey.links.map((l) => l.name)
    .filter((n) => n !== "lo")
    .filter((n) =>
      acceptRa(n) === 2 || (acceptRa(n) === 1 && (n === uplink || byRouter.includes(n) || bySlaac.includes(n)))
    )
    .sort();
}
