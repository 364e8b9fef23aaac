/** Where the overlay of a gateway made by hand is, by the rules and routes of a survey. Pure. */

import { contains, formatNetwork, parseNetwork } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";
import { canonicalNetwork } from "./networks.ts";
import { linkOf, type RouteSeen, type Survey } from "./survey.ts";

export const lacking = (what: string, remedy: string) => new CrxnError(Exit.unavailable, what, remedy);

/** A rule of iptables that translates: by which device (any, where it names none), and to which address where it says one. */
interface Rule {
  device?: string;
  source?: string;
}

export interface Translation {
  /** Rules for the pool; only where there are none, those for everybody. */
  rules: Rule[];
  ofPool: boolean;
}

/** A rule for the pool counts before one for everybody. One that says `!` is for all the rest, and names nothing. */
export function translationOf(survey: Survey, pool: string): Translation {
  const rules = Object.values(survey.rules.inet?.["nat"] ?? {}).flatMap((chain) => chain.rules);
  const value = (rule: string[], key: string) => {
    const at = rule.indexOf(key);
    return at < 0 || rule[at - 1] === "!" ? undefined : rule[at + 1];
  };
  const translating = rules.filter((r) => ["MASQUERADE", "SNAT"].includes(value(r, "-j") ?? ""));
  const read = (some: string[][]): Rule[] =>
    some.filter((r) => value(r, "-o") !== undefined || !r.includes("-o"))
      .map((r) => ({ device: value(r, "-o"), source: value(r, "--to-source") }));
  const ofPool = translating.filter((r) => covers(value(r, "-s") ?? "", pool));
  // Many have no -o: iptables -t nat -A POSTROUTING -s POOL -j MASQUERADE.
  if (ofPool.length > 0) return { rules: read(ofPool), ofPool: true };
  return { rules: read(translating.filter((r) => !r.includes("-s"))), ofPool: false };
}

/**
 * The device that the overlay's networks lead to. Rules count only where no route but the default one goes there. Those
 * for everybody are mostly the uplink's: of the devices that nothing of the overlay is routed to they name none.
 */
export function overlayLink(
  survey: Survey,
  device: string,
  prefix: string,
  pool: string,
  { rules, ofPool }: Translation,
): string {
  const others = (some: (string | undefined)[]) =>
    [...new Set(some)].filter((d): d is string => d !== undefined && d !== device);
  const named = others(rules.map((r) => r.device));
  const sliced = slices(survey, device, prefix);
  const byDefault = others(survey.routes.filter((r) => isMain(r) && lengthOf(r) === 0).map((r) => r.device));
  // Of the parts of a network that have routes of their own, some may be this machine's LAN.
  const preferred = [ofPool ? named : [], survey.links.map((l) => l.name).filter((d) => !byDefault.includes(d))];
  const led = others(sliced.flatMap((net) => devicesTo(net, survey.routes, preferred)));
  const byRule = named.filter((d) => ofPool || byDefault.includes(d) === sliced.length > 0);
  const found = led.length > 0 ? led : byRule;
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

/** Under which address clients appear on the link, where a rule says one. */
export const sourceOn = (link: string, { rules }: Translation): string | undefined =>
  rules.find((r) => r.source !== undefined && (r.device ?? link) === link)?.source;

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

const isMain = (r: RouteSeen): boolean => r.family === "inet" && r.type === "unicast" && r.table === "main";

/** The longest of the main table's that has all of a network. */
const routeFor = (net: string, routes: RouteSeen[]): RouteSeen | undefined =>
  routes.filter((r) => isMain(r) && covers(r.to, net)).sort((a, b) => lengthOf(b) - lengthOf(a))[0];

/** Where a network leads by other routes than the default one: as a whole, or else its parts, by the preferred devices. */
function devicesTo(net: string, routes: RouteSeen[], preferred: string[][]): (string | undefined)[] {
  const specific = routes.filter((r) => isMain(r) && lengthOf(r) > 0);
  const route = routeFor(net, specific);
  if (route) return [route.device];
  const parts = specific.filter((r) => covers(net, r.to)).map((r) => r.device);
  const chosen = preferred.map((names) => parts.filter((d) => d !== undefined && names.includes(d)));
  return chosen.find((some) => some.length > 0) ?? parts;
}

const lengthOf = ({ to }: RouteSeen): number => parseNetwork(canonicalNetwork(to))?.length ?? 0;

const covers = (outer: string, inner: string): boolean => {
  const [a, b] = [parseNetwork(canonicalNetwork(outer)), parseNetwork(canonicalNetwork(inner))];
  return a !== undefined && b !== undefined && a.family === b.family && contains(a, b);
};

/** What of the prefix is routed into the translator; where that is all of it, what is routed into the overlay. */
export function overlayRoutes(
  survey: Survey,
  device: string,
  prefix: string,
  link: string,
): { to: string; via?: string }[] {
  // Of zeroconf, which puts its route on many links: no overlay's.
  const known = into(survey, "inet", link).filter((r) => r.to !== "default" && !covers("169.254.0.0/16", r.to));
  // A slice may be a part of what is routed: its packets take the same next hop.
  const withHop = (to: string) => {
    const via = routeFor(to, known)?.via;
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
export function routedAround(survey: Survey, prefix: string): string | undefined {
  const holes = survey.routes.filter((r) =>
    r.family === "inet6" && ["blackhole", "unreachable", "prohibit"].includes(r.type) && r.to !== "default" &&
    r.to !== prefix && covers(r.to, prefix)
  );
  const [narrowest] = holes.sort((a, b) => lengthOf(b) - lengthOf(a));
  return narrowest && canonicalNetwork(narrowest.to);
}

/** The one that clients appear under comes first: SNAT names it, MASQUERADE takes the link's first. */
export function addressesOn(survey: Survey, link: string, source: string | undefined): string[] {
  const all = linkOf(survey, link)!.addresses.filter((a) => a.family === "inet" && a.scope === "global");
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
