/** Where the overlay of a gateway made by hand is, by the rules and routes of a survey. Pure. */

import { contains, formatNetwork, parseNetwork } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";
import { canonicalNetwork } from "./networks.ts";
import { linkOf, type RouteSeen, type Survey } from "./survey.ts";

export const lacking = (what: string, remedy: string) => new CrxnError(Exit.unavailable, what, remedy);

/** By which devices the pool is translated, and to which address where a rule of iptables says one. */
export interface Translation {
  devices: string[];
  source?: string;
}

/** A rule for the pool counts before one for everybody. One that says `!` is for all the rest, and names nothing. */
export function translationOf(survey: Survey, pool: string): Translation {
  const rules = Object.values(survey.rules.inet?.["nat"] ?? {}).flatMap((chain) => chain.rules);
  const value = (rule: string[], key: string) => {
    const at = rule.indexOf(key);
    return at < 0 || rule[at - 1] === "!" ? undefined : rule[at + 1];
  };
  const named = rules.filter((r) =>
    ["MASQUERADE", "SNAT"].includes(value(r, "-j") ?? "") && value(r, "-o") !== undefined
  );
  const ofPool = named.filter((r) => covers(value(r, "-s") ?? "", pool));
  const found = ofPool.length > 0 ? ofPool : named.filter((r) => !r.includes("-s"));
  const source = found.map((r) => value(r, "--to-source")).find((text) => text !== undefined);
  return { devices: [...new Set(found.map((r) => value(r, "-o")!))], ...(source ? { source } : {}) };
}

/** The device that the pool is translated to by a rule of iptables; else the one that the overlay's networks lead to. */
export function overlayLink(
  survey: Survey,
  device: string,
  prefix: string,
  pool: string,
  { devices }: Translation,
): string {
  const led = slices(survey, device, prefix).flatMap((net) => routeFor(net, survey.routes)?.device ?? []);
  const found = (devices.length > 0 ? devices : [...new Set(led)]).filter((d) => d !== device);
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

/** The longest of the main table's that has all of a network. */
const routeFor = (net: string, routes: RouteSeen[]): RouteSeen | undefined =>
  routes.filter((r) => r.family === "inet" && r.type === "unicast" && r.table === "main" && covers(r.to, net))
    .sort((a, b) => lengthOf(b) - lengthOf(a))[0];

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
  const known = into(survey, "inet", link).filter((r) => r.to !== "default");
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
export function addressesOn(survey: Survey, link: string, { source }: Translation): string[] {
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
