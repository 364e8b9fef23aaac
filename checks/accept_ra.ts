import { Program } from "../gateway/action.ts";
import { defaultUplink, isUnread, linkOf, type RouteSeen, type Survey } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { withoutIpv6 } from "./disabled_ipv6.ts";
import { routeLine } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { sysctlProblems } from "./persisted.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { lostUplink } from "./uplink.ts";

/** The machine's own way to the IPv6 Internet. */
export const acceptRa: Check = {
  id: "accept-ra",
  title: "The IPv6 default route is there, and stays",
  hop: "uplink",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv6 default route, and whether its router answers; net.ipv6.conf.DEVICE.accept_ra where a router announces it, now and in all sysctl files.",
  why:
    "With forwarding on the kernel ignores router advertisements unless accept_ra is 2: it drops the default route, and the machine is cut off.",
  cure: "`sysctl -w net.ipv6.conf.DEVICE.accept_ra=2`; the route comes back with the router's next advertisement.",
  run: (input, others) => {
    // Under its new name the uplink has nothing set for it yet; without it there is no default route.
    const gone = lostUplink(input);
    if (gone) return { verdict: "skip", found: `cannot be judged without ${gone}: see uplink` };
    const sysctls = sysctlProblems(itemsOf("accept-ra", input.blueprint), input);
    // A line of a file is about the next boot: the route of now is still worth a look.
    if (sysctls.some((p) => !p.carries && p.verdict !== "warn")) {
      // The route that is there goes when its lifetime is over, or the link is up anew.
      const still = defaultUplink(input.survey) ? { carries: true as const } : {};
      return outcomeOf(sysctls.map((p) => ({ ...p, ...still })), input);
    }
    const { name } = input.blueprint.facts.uplink;
    const link = name === "lo" ? undefined : linkOf(input.survey, name);
    // The uplink's check may speak of a rule only, by which answers go elsewhere.
    const down = others("uplink").verdict === "fail" && !(link?.up && link.carrier)
      ? { excuse: "the uplink is not up: see uplink" }
      : {};
    const route = routeProblem(input).map((p) => ({ ...p, ...down }));
    return outcomeOf([...sysctls, ...route], input, fine(input));
  },
};

function fine({ survey }: CheckInput): string | undefined {
  const route = defaultUplink(survey);
  return route && `default ${route.via ? `via ${route.via} ` : ""}dev ${route.device}`;
}

function routeProblem(input: CheckInput): Problem[] {
  const { blueprint, survey } = input;
  const route = defaultUplink(survey);
  if (route) return routerProblem(route, input);
  if (survey.links.length === 0 || isUnread(survey, "routes")) {
    return [{ found: "ip does not answer", verdict: "unknown" }];
  }
  const named = blueprint.config.uplink;
  const uplink = blueprint.facts.uplink.name;
  const link = linkOf(survey, uplink);
  const off = withoutIpv6(uplink, input);
  const why = link && !link.up ? `; ${uplink} is down` : link && !link.carrier ? `; ${uplink} has no carrier` : "";
  return [{
    found: `there is no IPv6 default route${named ? "" : `, and crxn.yaml names no uplink${devicesOf(survey)}`}${why}`,
    want: "a default route to the IPv6 Internet, where the clients are",
    // Clients may all be on networks that this machine has routes to: whoever names an uplink may have meant that.
    ...(named ? { verdict: "warn" as const } : {}),
    ...(off ? { excuse: off } : {}),
    evidence: [{ command: [Program.ip, "-6", "route", "show", "default"], output: "" }],
  }];
}

/** The kernel asked for the router's link address, and nobody answered (`ip neigh`: FAILED). */
function routerProblem(route: RouteSeen, { host, arrival }: CheckInput): Problem[] {
  const { via, device } = route;
  const router = host?.neighbours?.find((n) => n.address === via && n.device === device);
  if (router?.states.includes("PERMANENT") && arrival && arrival.left !== 0 && !arrival.answeredBy) {
    return [fixedRouter(route)];
  }
  if (!router?.states.includes("FAILED")) return [];
  return [{
    found:
      `the router ${via} of the default route does not answer on ${device}: the cable, the switch, or the router itself`,
    want: `an answer from ${via} to neighbour solicitation`,
    evidence: [
      { command: [Program.ip, "-6", "neigh", "show", "dev", device!], output: `${via} FAILED` },
      { command: [Program.ip, "-6", "route", "show", "default"], output: routeLine(route) },
    ],
  }];
}

/** An entry that somebody made is never asked for again. That a router is silent may have other reasons. */
const fixedRouter = ({ via, device }: RouteSeen): Problem => ({
  verdict: "warn",
  found:
    `the link address of the router ${via} on ${device} is fixed by hand (ip neigh: PERMANENT), and it does not answer: a wrong one takes packets to nobody`,
  want: "an entry that the kernel finds by itself, or the right address",
  fix: [[Program.ip, "-6", "neigh", "del", via!, "dev", device!]],
  evidence: [{ command: [Program.ip, "-6", "neigh", "show", "dev", device!], output: `${via} PERMANENT` }],
});

/** Those that may be meant: one of them may have no network any more, or another name than it had. */
function devicesOf({ links }: Survey): string {
  const shown = links.filter((l) => l.name !== "lo" && l.kind !== "tun").map((l) => {
    const addresses = l.addresses.filter((a) => a.scope === "global").map((a) => a.address).join(" ");
    return `${l.name} (${l.up ? addresses || "no address" : "down"})`;
  });
  return shown.length > 0 ? `; the devices are ${shown.join(", ")}` : "";
}
