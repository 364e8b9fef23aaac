/** Faults of routing as problems of the check that speaks for the packets: in words, with the command that undoes it. */

import { Program } from "../gateway/action.ts";
import type { RouteSeen } from "../gateway/survey.ts";
import type { CheckInput, Evidence } from "./check.ts";
import { routeLine } from "./evidence.ts";
import { isStandard, ruleLine, ruleWords } from "./fib.ts";
import { flowWords, type RouteAnswer } from "./flow.ts";
import type { Problem } from "./problem.ts";
import { rivalRoutes } from "./rivals.ts";
import { blamed, culpritOf, type RouteFault, routeFaults } from "./route_faults.ts";

/** Of what several kinds of packets suffer from, the first of these speaks. */
const FIRST = [
  "prefix-route",
  "tunnel-routing",
  "overlay-route",
  "pool-route",
  "uplink",
  "overlay-address",
  "blackhole-route",
];

/**
 * What is wrong with the way of the packets that a check speaks for. What it shares with others is told once.
 * @param given when the caller has them already
 */
export function routeProblems(check: string, input: CheckInput, given?: RouteFault[]): Problem[] {
  const faults = (given ?? routeFaults(input)).filter((f) => f.kind !== "source" && !isRival(f, input));
  const speaker = (culprit: string) =>
    FIRST.find((id) => faults.some((f) => f.leg.check === id && culpritOf(f) === culprit));
  const told = new Set<string>();
  return faults.filter((f) => f.leg.check === check).flatMap((fault): Problem[] => {
    const culprit = culpritOf(fault);
    if (told.has(culprit)) return [];
    told.add(culprit);
    const first = speaker(culprit);
    return [{
      ...problemOf(fault, input),
      ...(first === check ? {} : { excuse: `${first} names the ${culprit.replace(/^inet6? /, "")}` }),
    }];
  });
}

/** The check conflicts speaks of the routes of other translators. */
const isRival = ({ decided: { route } }: RouteFault, input: CheckInput): boolean =>
  route !== undefined && rivalRoutes(input).includes(route);

function problemOf(fault: RouteFault, input: CheckInput): Problem {
  const { leg, decided, answer } = fault;
  const want = `${leg.name} ${wanted(fault)}`;
  // On a gateway nobody but the machine itself sends packets of its own.
  const carries = leg.flow.iif === undefined && leg.check === "overlay-route" && input.blueprint.config.nat64;
  const problem = { want, evidence: evidenceOf(fault, input), ...(carries ? { carries: true as const } : {}) };
  if (fault.kind === "unexplained") {
    const found = `the kernel says of ${leg.name}: ${
      answerText(answer!)
    }; no rule and no route that can be seen does that`;
    return { ...problem, found };
  }
  const { route, thrown } = decided;
  const rule = blamed(fault);
  if (rule) {
    const does = route ? `leads ${leg.name} to "${routeLine(route)}"` : `drops ${leg.name}`;
    const fix = [
      Program.ip,
      flag(leg.flow.family),
      "rule",
      "del",
      "priority",
      String(rule.priority),
      ...ruleWords(rule),
    ];
    return { ...problem, found: `the rule "${ruleLine(rule)}" ${does}`, fix: [fix] };
  }
  const culprit = decided.type === "none" ? thrown : route;
  if (!culprit) return { ...problem, found: `there is no route for ${leg.name}` };
  const found = culprit.type === "unicast"
    ? `the route "${routeLine(culprit)}" takes ${leg.name}`
    : `the route "${routeLine(culprit)}" ends ${leg.name}`;
  // A network of the machine's own inside the overlay may well be meant so.
  if (culprit.protocol === "kernel") return { ...problem, found, verdict: "warn" };
  return { ...problem, found, fix: [deletion(culprit)] };
}

export function wanted({ leg: { want } }: RouteFault): string {
  if (want === "nowhere") return "dropped";
  return want === "local" ? "taken in" : `by ${[want.device, ...want.besides ?? []].join(" or ")}`;
}

const flag = (family: RouteSeen["family"]) => family === "inet6" ? "-6" : "-4";

/** The command that removes a route of somebody else. */
export const deletion = (r: RouteSeen): string[] => [
  ...[Program.ip, flag(r.family), "route", "del"],
  ...(r.type === "unicast" ? [] : [r.type]),
  r.to,
  ...(r.via ? ["via", r.via] : []),
  ...(r.device && (r.type === "unicast" || r.type === "local") ? ["dev", r.device] : []),
  ...(r.table === "main" ? [] : ["table", r.table]),
  ...(r.metric ? ["metric", String(r.metric)] : []),
];

export const answerText = ({ type, device, via, table, error }: RouteAnswer): string =>
  error ?? [
    ...(type === "unicast" ? [] : [type]),
    ...(via ? ["via", via] : []),
    ...(device ? ["dev", device] : []),
    ...(table ? ["table", table] : []),
  ].join(" ");

export function evidenceOf({ leg, answer, decided }: RouteFault, { survey }: CheckInput): Evidence[] {
  const { family } = leg.flow;
  const rules = survey.policies?.filter((p) => p.family === family && !isStandard(p)) ?? [];
  return [
    ...(answer
      ? [{ command: [Program.ip, flag(family), "route", "get", ...flowWords(leg.flow)], output: answerText(answer) }]
      : []),
    ...(rules.length > 0
      ? [{ command: [Program.ip, flag(family), "rule", "show"], output: rules.map(ruleLine).join("\n") }]
      : []),
    ...(decided.route
      ? [{
        command: [Program.ip, flag(family), "route", "show", "table", decided.route.table],
        output: routeLine(decided.route),
      }]
      : []),
  ];
}
