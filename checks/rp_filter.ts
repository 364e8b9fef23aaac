import { Program } from "../gateway/action.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { sysctlEvidence } from "./evidence.ts";
import { isStandard, type Lookup, ruleLine } from "./fib.ts";
import { routeLine } from "./evidence.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { culpritOf, type RouteFault, routeFaults, sourceCheck } from "./route_faults.ts";
import { evidenceOf } from "./route_problems.ts";

/** Whether the kernel takes the gateway's packets for forged. */
export const rpFilter: Check = {
  id: "rp-filter",
  title: "Source validation lets the gateway's packets in",
  hop: "forward",
  needs: [],
  looksAt:
    "net.ipv4.conf.DEVICE.rp_filter of the overlay's devices and the translator's, together with that of `all` (the higher one counts), and the way back to the source of each packet that comes in by them. IPv6 has no rp_filter.",
  why:
    "With 1 (strict) the kernel drops what comes in by another device than the one by which it would answer, with 2 (loose) what it has no route back to. Without a log line. The way back is looked up without the packet's mark.",
  cure: "`sysctl -w net.ipv4.conf.DEVICE.rp_filter=2`, or a way back by the same device.",
  run: (input) => {
    const { blueprint: { ways, workers } } = input;
    const devices = [...ways, ...workers].map((w) => w.device)
      .filter((d) => linkOf(input.survey, d));
    const values = devices.flatMap((device) => {
      const value = sourceCheck(input, device);
      return value === undefined ? [] : [{ device, value }];
    });
    if (values.length === 0) return { verdict: "skip", found: "net.ipv4.conf.*.rp_filter was not read" };
    const faults = routeFaults(input);
    const names = values.filter(({ value }) => value > 0).map(({ device, value }) => `${nameOf(value)} on ${device}`);
    return outcomeOf(problems(faults, input), input, `${names.join(", ") || "off"}: nothing is dropped`);
  },
};

const nameOf = (value: number) => value === 1 ? "strict" : "loose";

function problems(faults: RouteFault[], input: CheckInput): Problem[] {
  const others = faults.filter((f) => f.kind !== "source");
  const told = new Set<string>();
  return faults.filter((f) => f.kind === "source").flatMap((fault): Problem[] => {
    const { leg, decided } = fault;
    const device = leg.flow.iif!;
    if (told.has(device)) return [];
    told.add(device);
    const value = sourceCheck(input, device)!;
    const key = `net/ipv4/conf/${device}/rp_filter`;
    // With loose mode it passes unless there is no way back at all.
    const mild = value === 1 && decided.type === "unicast" ? "2" : "0";
    const all = Number(input.survey.sysctls["net/ipv4/conf/all/rp_filter"]);
    const keys = all > Number(mild) ? ["net/ipv4/conf/all/rp_filter", key] : [key];
    const same = others.find((o) => culpritOf(o) === culpritOf(fault));
    return [{
      found:
        `rp_filter is ${value} (${nameOf(value)}) on ${device}${
          all === value ? ", by that of all" : ""
        }: ${leg.name} ` +
        `are dropped, for the way back to ${leg.flow.from} is ${wayBack(decided)}`,
      want: `${leg.name} let in`,
      fix: keys.map((k) => [Program.sysctl, "-w", `${k}=${mild}`]),
      evidence: [
        sysctlEvidence("net/ipv4/conf/all/rp_filter", input.survey),
        sysctlEvidence(key, input.survey),
        ...evidenceOf(fault, input),
      ],
      ...(same ? { excuse: `${same.leg.check} names what leads the way back elsewhere` } : {}),
    }];
  });
}

function wayBack({ type, route, rule }: Lookup): string {
  const by = rule && !isStandard(rule) ? ` by the rule "${ruleLine(rule)}"` : "";
  if (route) return `"${routeLine(route)}"${by}`;
  return type === "none" ? "nowhere" : `${type}${by}`;
}
