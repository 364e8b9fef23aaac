/** The kernel's answers, as it would give them for a survey's rules and routes. */

import type { CheckInput } from "../../../checks/check.ts";
import { lookup } from "../../../checks/fib.ts";
import type { Flow, RouteAnswer } from "../../../checks/flow.ts";
import { legsOf } from "../../../checks/legs.ts";

/** Errors of rtnetlink(7) by the type of the route or rule (run: Linux 6.18). */
const ERRORS: Record<string, string> = {
  blackhole: "Invalid argument",
  prohibit: "Permission denied",
  unreachable: "No route to host",
  none: "Network is unreachable",
};

const REFUSED = "Invalid cross-device link";

/** fib_validate_source() of the kernel, strict: the way back is looked up as for what comes in by the device it leaves by. */
function isForged({ family, iif, from, to }: Flow, out: string | undefined, { survey }: CheckInput): boolean {
  const strict = ["all", iif].some((d) => survey.sysctls[`net/ipv4/conf/${d}/rp_filter`] === "1");
  if (family !== "inet" || iif === undefined || from === undefined || !strict) return false;
  return !lookup(survey, { family, to: from, from: to, ...(out ? { iif: out } : {}) }).devices.includes(iif);
}

export const answersOf = (input: CheckInput): RouteAnswer[] =>
  legsOf(input).map(({ flow }) => {
    const { type, devices: [device] } = lookup(input.survey, flow);
    const error = ERRORS[type] ??
      (isForged(flow, type === "unicast" ? device : undefined, input) ? REFUSED : undefined);
    return error ? { flow, error } : { flow, type, ...(device ? { device } : {}) };
  });

/** The same answers, but for those that `change` has another for. */
export const answersBut = (
  input: CheckInput,
  change: (flow: Flow) => Partial<RouteAnswer> | undefined,
): RouteAnswer[] =>
  answersOf(input).map((answer) => {
    const other = change(answer.flow);
    return other ? { flow: answer.flow, ...other } : answer;
  });
