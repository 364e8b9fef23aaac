/** Facts as `up` found them, where the journal still knows: a machine with a fault may no longer show them. Pure. */

import { CKR_SETTINGS } from "../gateway/capability.ts";
import type { Config } from "../gateway/config/types.ts";
import { CrxnError } from "../gateway/errors.ts";
import { type Facts, factsOf, type Identity, type MoreFacts } from "../gateway/facts.ts";
import type { FileItem, Item, LinkItem } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import { Path, Unit, unitPath } from "../gateway/names.ts";
import { type Link, linkOf, type Survey, type UnitSeen } from "../gateway/survey.ts";
import { callerMade } from "../gateway/upkeep.ts";
import { routingSection } from "../gateway/yggdrasil_config.ts";

/** Stands in for an uplink that is not there, also where not even the loopback device could be seen. */
const LOOPBACK: Link = {
  name: "lo",
  up: true,
  carrier: true,
  mtu: 65536,
  data: {},
  addresses: [],
  rx: { packets: 0, bytes: 0, dropped: 0 },
  tx: { packets: 0, bytes: 0, dropped: 0 },
};

/**
 * Facts also where there is no uplink, or none of the name in the config: the checks uplink and accept-ra say so.
 * @returns `lost`: another device, or lo, stands in for it
 */
export function factsWithStandIn(config: Config, survey: Survey, more: MoreFacts): { facts: Facts; lost: boolean } {
  const { uplink: named, ...unnamed } = config;
  const lost = named !== undefined && !linkOf(survey, named);
  try {
    return { facts: factsOf(lost ? unnamed : config, survey, more), lost };
  } catch (error) {
    if (!(error instanceof CrxnError)) throw error;
    return {
      facts: factsOf({ ...config, uplink: "lo" }, { ...survey, links: [...survey.links, LOOPBACK] }, more),
      lost: true,
    };
  }
}

/**
 * Without this a lost tunnel could change its kind, and an accept_ra that somebody switched off would no longer be wanted:
 * one fault would look like many, or like none.
 * @returns the same object where nothing is different
 */
export function settledFacts(
  facts: Facts,
  journal: Journal | undefined,
  survey: Survey,
  tunnel: string | undefined,
): Facts {
  const items = [...journal?.entries.values() ?? []].map((e) => e.item);
  const announced = items.flatMap((i) => {
    const device = i.kind === "sysctl" ? /^net\/ipv6\/conf\/([^/]+)\/accept_ra$/.exec(i.key)?.[1] : undefined;
    return device !== undefined && linkOf(survey, device) ? [device] : [];
  });
  const made = tunnelOf(items.filter((i): i is LinkItem => i.kind === "link"));
  const kept = made && tunnel === "auto" && facts.tunnel?.kind !== made.type && facts.tunnel?.kind !== "ckr";
  const asked = survey.daemon?.normalised !== undefined;
  const caller = facts.caller && callerMade(journal, survey.files);
  const changed: Partial<Facts> = {
    // Whichever copy of crxn looks: units call the one that ran `up`.
    ...(caller ? { caller } : {}),
    // A daemon that cannot be asked any more could do what its config was made for.
    ...(asked || made ? {} : routingMade(items, facts)),
    ...(announced.every((device) => facts.advertised.includes(device))
      ? {}
      : { advertised: [...new Set([...facts.advertised, ...announced])].sort() }),
    ...(kept ? { tunnel: { kind: made.type, why: "auto: it is what `crxn up` took" } } : {}),
    ...(made && facts.identity && facts.identity.address !== made.local
      ? { identity: { ...facts.identity, address: made.local, publicKey: keyFromMac(made.mac) } }
      : {}),
  };
  return Object.keys(changed).length > 0 ? { ...facts, ...changed } : facts;
}

/** What the daemon was found to be when `up` wrote a config with tunnel routing for it. */
function routingMade(items: Item[], facts: Facts): Pick<Facts, "daemon" | "tunnel"> {
  const file = items.find((i): i is FileItem => i.kind === "file" && i.path === Path.yggdrasilConfig);
  const section = file && routingSection(file.content);
  const ckr = CKR_SETTINGS.filter((name) => section && name in section);
  if (!file || ckr.length === 0 || section?.["Enable"] === false || !facts.tunnel) return {};
  return {
    daemon: { generation: facts.daemon?.generation ?? "0.5", ckr },
    tunnel: { kind: "ckr", why: "it is what `crxn up` took" },
  };
}

interface Made {
  type: "vxlan" | "ip6gre";
  local: string;
  mac?: string;
}

function tunnelOf(links: LinkItem[]): Made | undefined {
  const found = links.map((l) => l.spec).find((s) => s.type === "vxlan" || s.type === "ip6gre");
  if (found?.type === "vxlan") return { type: "vxlan", local: found.local, mac: found.mac };
  return found?.type === "ip6gre" ? { type: "ip6gre", local: found.local } : undefined;
}

const UNKNOWN = "0".repeat(54);

/** A key of which no more is known than what a tunnel's MAC address shows: its first ten digits. */
const keyFromMac = (mac: string | undefined) => (mac?.replaceAll(":", "").slice(2) ?? "0".repeat(10)) + UNKNOWN;

/** Whether the public key is only a stand-in, not to be shown or compared. */
export const isStandIn = ({ publicKey }: Identity): boolean => publicKey.endsWith(UNKNOWN);

/** Whom the node is taken for while its own config cannot be read: who it says it is, or whom its tunnel was made for. */
export function standIn(survey: Survey, journal: Journal | undefined): Identity {
  const made = tunnelOf([...journal?.entries.values() ?? []].flatMap(({ item }) => item.kind === "link" ? [item] : []));
  const tunnel = survey.links.find((l) => /^crxn-[0-9a-f]{8}$/.test(l.name))?.data ?? {};
  const local = tunnel["local6"] ?? tunnel["local"];
  // The unit that makes the tunnel may be read by everybody.
  const unit = survey.files[unitPath(Unit.overlay)]?.content ?? "";
  const mac = made?.mac ?? / address (02(?::[0-9a-f]{2}){5}) type vxlan /.exec(unit)?.[1];
  const address = made?.local ?? (typeof local === "string" ? local : survey.overlay?.address ?? "::");
  return { publicKey: survey.overlay?.publicKey ?? keyFromMac(mac), address, from: "kept" };
}

/** Restarts after which a unit that is being started counts as one that keeps dying. */
export const MANY_RESTARTS = 5;

/** The same of one that is active at this moment, and young: a second after it began to die it may not have died five times. */
const SOME_RESTARTS = 2;

/** Milliseconds that one that keeps dying may have run so far; systemd starts it again 200 after its end. */
const YOUNG = 1000;

/** Units as they are from moment to moment: between two deaths a unit of Type=simple is active, although its program cannot be run. */
export function withDying(survey: Survey, now: number): Survey {
  const dies = (unit: UnitSeen) =>
    unit.active === "active" && unit.sub === "running" && unit.restarts >= SOME_RESTARTS && unit.since > 0 &&
    now - unit.since < YOUNG;
  const units = Object.entries(survey.units);
  if (!units.some(([, unit]) => dies(unit))) return survey;
  const seen = (unit: UnitSeen): UnitSeen => dies(unit) ? { ...unit, active: "activating", sub: "auto-restart" } : unit;
  return { ...survey, units: Object.fromEntries(units.map(([name, unit]) => [name, seen(unit)])) };
}
