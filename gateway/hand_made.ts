/** A gateway that somebody has made by hand, read from a survey: what a config has to say so that `up` takes it over. Pure. */

import { contains, formatNetwork, parseNetwork } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";
import { translatorDevice } from "./names.ts";
import { canonicalNetwork, hostAt } from "./networks.ts";
import { linkOf, type RouteSeen, type Survey } from "./survey.ts";
import { readTaygaConfig, type TaygaConfig } from "./tayga_config.ts";

/** A config of tayga's on the machine, and whether it runs. */
export interface TaygaSeen {
  file: string;
  /** NAME of /etc/tayga/NAME.conf; undefined for Debian's /etc/tayga.conf. */
  instance?: string;
  text: string;
  running: boolean;
}

export interface HandMade {
  instance: string;
  /** The file that tayga reads. */
  file: string;
  addresses: string[];
  prefix: string;
  routed?: string;
  link: string;
  routes: { to: string; via?: string }[];
  pool: string;
  maps: { ipv4: string; ipv6: string }[];
  /** What the config cannot say, and what will be in the way. */
  notes: string[];
}

const lacking = (what: string, remedy: string) => new CrxnError(Exit.unavailable, what, remedy);

/**
 * @param wanted the instance, where there are several
 * @throws CrxnError 69 where there is no such gateway, 64 where there are several
 */
export function readHandMade(survey: Survey, taygas: TaygaSeen[], wanted?: string): HandMade {
  const { file, instance, text } = choose(taygas, wanted);
  const tayga = readTaygaConfig(text);
  const { device, prefix, pool } = tayga;
  const missing = Object.entries({ "tun-device": device, prefix, "dynamic-pool": pool }).filter(([, v]) => !v);
  if (!device || !prefix || !pool) {
    throw lacking(
      `${file} has no ${missing.map(([k]) => k).join(", ")}.`,
      "crxn needs them: write a config by hand (`crxn init`).",
    );
  }
  const link = overlayLink(survey, device, prefix, pool);
  const routes = overlayRoutes(survey, device, prefix, link);
  const routed = routedAround(survey, prefix);
  const name = instance ?? device.replace(/^nat64-/, "");
  return {
    instance: name,
    file,
    addresses: addressesOn(survey, link, pool),
    prefix,
    ...(routed ? { routed } : {}),
    link,
    routes,
    pool,
    maps: tayga.maps.map(({ ipv4, ipv6 }) => ({ ipv4: ipv4.replace(/\/32$/, ""), ipv6: ipv6.replace(/\/128$/, "") })),
    notes: [...translatorNotes(tayga, file, name, instance), ...linkNotes(survey, link)],
  };
}

function choose(taygas: TaygaSeen[], wanted?: string): TaygaSeen {
  const names = taygas.map((t) => t.instance ?? t.file).join(", ");
  const fitting = wanted === undefined ? taygas : taygas.filter((t) => t.instance === wanted || t.file === wanted);
  const running = fitting.filter((t) => t.running);
  const [only, second] = running.length > 0 ? running : fitting;
  if (!only) {
    throw lacking(
      wanted === undefined
        ? "There is no gateway here to import: no config of tayga."
        : `No tayga of the name ${wanted} is here.`,
      names ? `There are: ${names}.` : "`crxn init` makes a config for a new one.",
    );
  }
  if (second) {
    throw new CrxnError(Exit.usage, `Several translators are here: ${names}.`, "Say which one with --instance NAME.");
  }
  return only;
}

/** The device that the pool is translated to by a rule of iptables; else the one that the overlay's networks lead to. */
function overlayLink(survey: Survey, device: string, prefix: string, pool: string): string {
  const nat = survey.rules.inet?.["nat"] ?? {};
  const rules = Object.values(nat).flatMap((chain) => chain.rules);
  const value = (rule: string[], key: string) => rule[rule.indexOf(key) + 1];
  const translating = rules.filter((r) => ["MASQUERADE", "SNAT"].includes(value(r, "-j") ?? "") && r.includes("-o"));
  const ofPool = translating.filter((r) => r.includes("-s") && covers(value(r, "-s") ?? "", pool));
  const named = (ofPool.length > 0 ? ofPool : translating.filter((r) => !r.includes("-s"))).map((r) => value(r, "-o")!);
  const led = slices(survey, device, prefix).flatMap((net) => {
    const route = survey.routes.find((r) => r.family === "inet" && r.type === "unicast" && covers(r.to, net));
    return route?.device ? [route.device] : [];
  });
  const found = [...new Set([...named, ...(named.length > 0 ? [] : led)])].filter((d) => d !== device);
  const [link, other] = found;
  if (!link) {
    throw lacking(
      `Which device leads to the overlay cannot be told: no rule translates ${pool}, and no route goes there.`,
      "Bring the gateway up first (MASQUERADE for the pool, routes into the overlay), then import it.",
    );
  }
  if (other) {
    throw lacking(
      `Several devices lead to the overlay: ${found.join(", ")}.`,
      "crxn knows one overlay link: write the config by hand (`crxn init`).",
    );
  }
  if (!linkOf(survey, link)) {
    throw lacking(`The overlay's device ${link} is not there.`, "Bring it up, then import the gateway.");
  }
  return link;
}

/** Overlay networks that routes of the prefix lead into the translator, as IPv4 (RFC 6052 for a /96). */
function slices(survey: Survey, device: string, prefix: string): string[] {
  const whole = parseNetwork(prefix);
  if (!whole || whole.length !== 96) return [];
  return into(survey, "inet6", device).flatMap((route) => {
    const inner = parseNetwork(route.to);
    if (!inner || inner.length <= 96 || !contains(whole, inner)) return [];
    const value = inner.value & 0xffff_ffffn;
    return [formatNetwork({ family: 4, value, length: inner.length - 96 })];
  });
}

const into = (survey: Survey, family: "inet" | "inet6", device: string): RouteSeen[] =>
  survey.routes.filter((r) => r.family === family && r.type === "unicast" && r.table === "main" && r.device === device);

const covers = (outer: string, inner: string): boolean => {
  const [a, b] = [parseNetwork(canonicalNetwork(outer)), parseNetwork(canonicalNetwork(inner))];
  return a !== undefined && b !== undefined && a.family === b.family && contains(a, b);
};

/** What of the prefix is routed into the translator; where that is all of it, what is routed into the overlay. */
function overlayRoutes(survey: Survey, device: string, prefix: string, link: string): HandMade["routes"] {
  const known = into(survey, "inet", link).filter((r) => r.to !== "default");
  const withHop = (to: string) => {
    const via = known.find((r) => canonicalNetwork(r.to) === to)?.via;
    return { to, ...(via ? { via } : {}) };
  };
  const sliced = slices(survey, device, prefix);
  const routes = (sliced.length > 0 ? sliced : known.map((r) => canonicalNetwork(r.to))).map(withHop);
  if (routes.length === 0) {
    throw lacking(
      `No network of the overlay is routed to ${link}.`,
      "Bring its routes up first, then import the gateway.",
    );
  }
  return [...new Map(routes.map((r) => [r.to, r])).values()];
}

/** What is blackholed around the prefix. */
function routedAround(survey: Survey, prefix: string): string | undefined {
  const holes = survey.routes.filter((r) =>
    r.family === "inet6" && ["blackhole", "unreachable", "prohibit"].includes(r.type) && r.to !== "default" &&
    r.to !== prefix && covers(r.to, prefix)
  );
  const length = (r: RouteSeen) => Number(r.to.split("/")[1] ?? 128);
  const [narrowest] = holes.sort((a, b) => length(b) - length(a));
  return narrowest && canonicalNetwork(narrowest.to);
}

/** The one that clients appear under comes first: SNAT names it, MASQUERADE takes the link's first. */
function addressesOn(survey: Survey, link: string, pool: string): string[] {
  const all = linkOf(survey, link)!.addresses.filter((a) => a.family === "inet" && a.scope === "global");
  const rules = Object.values(survey.rules.inet?.["nat"] ?? {}).flatMap((chain) => chain.rules);
  const snat = rules.find((r) => r.includes("SNAT") && covers(r[r.indexOf("-s") + 1] ?? "", pool));
  const source = snat?.[snat.indexOf("--to-source") + 1];
  const first = (a: string) => a.split("/")[0] === source ? 0 : 1;
  const found = all.map((a) => a.address).sort((a, b) => first(a) - first(b));
  if (found.length === 0) {
    throw lacking(
      `${link} has no IPv4 address, so this machine has none in the overlay.`,
      "Put it on the link, then import the gateway.",
    );
  }
  return found;
}

function translatorNotes(tayga: TaygaConfig, file: string, name: string, instance?: string): string[] {
  const { device, ipv4, pool, other, data } = tayga;
  const own = hostAt(pool!, 1);
  const restarts = "so `up` starts tayga anew: less than a second without translation";
  return [
    ...(instance === undefined || device !== translatorDevice(name)
      ? [
        `${file} and its device ${device} are in the way of crxn's: /etc/tayga/${name}.conf, ${
          translatorDevice(name)
        }. ` +
        `Stop that tayga and remove what it made before \`crxn up\`.`,
      ]
      : []),
    ...(ipv4 !== undefined && ipv4 !== own ? [`tayga's own address is ${ipv4}; crxn's is ${own}, ${restarts}.`] : []),
    ...(other.length > 0 ? [`crxn does not write these lines of ${file}, ${restarts}: ${other.join("; ")}.`] : []),
    ...(data && data !== `/var/lib/tayga/${name}`
      ? [
        `tayga's list of clients is in ${data}; from its next start on it is in /var/lib/tayga/${name}, and begins empty.`,
      ]
      : []),
  ];
}

/** A link of yggdrasil's stays its daemon's: crxn would make another device, and the overlay would be gone meanwhile. */
function linkNotes(survey: Survey, link: string): string[] {
  const { kind } = linkOf(survey, link)!;
  const yggdrasil = kind === "tun" && survey.units["yggdrasil.service"]?.active === "active";
  return yggdrasil
    ? [`${link} seems to be yggdrasil's: its daemon, its keys and yggdrasil.conf stay as they are, and yours.`]
    : [];
}
