import { Program, run } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import type { SysctlLine } from "../gateway/host.ts";
import { linkOf } from "../gateway/survey.ts";
import { type Decision, decision, placeOf } from "./boot_sysctl.ts";
import type { Check, CheckInput } from "./check.ts";
import { disabledIpv6, ipv6Devices } from "./disabled_ipv6.ts";
import { sysctlEvidence } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { lineEvidence, outComment, sysctlProblems } from "./persisted.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** The kernel's leave to pass packets on. */
export const forwardingSysctl: Check = {
  id: "forwarding-sysctl",
  title: "The kernel forwards, now and after a reboot",
  hop: "forward",
  needs: [],
  looksAt:
    "net.ipv4.ip_forward, net.ipv4.conf.DEVICE.forwarding of the devices that packets come in by, on a gateway net.ipv6.conf.all.forwarding, and disable_ipv6; the lines of /etc/sysctl.d/crxn.conf, and every other sysctl file in the order in which systemd-sysctl reads them (also for `default`, which devices to come get), with /etc/sysctl.conf, which `sysctl --system` reads last.",
  why:
    "With forwarding off the kernel drops every packet that is not for the machine itself. In IPv6 the setting of `all` alone decides; in IPv4 that of the device it came in by. A value that is right now and wrong in a file is lost with the next `sysctl --system`, or boot.",
  cure:
    "`sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1` now; /etc/sysctl.d/crxn.conf for later (`crxn up`). A line in another file that says otherwise is its owner's to remove.",
  run: (input) => {
    const problems = sysctlProblems(itemsOf("forwarding-sysctl", input.blueprint), input);
    const master = input.survey.sysctls["net/ipv4/ip_forward"];
    const outcome = outcomeOf([
      ...problems,
      ...(master === "1" ? deviceProblems(input) : []),
      ...laterProblems(input),
      ...disabledProblems(input),
    ], input);
    const offline = disabledIpv6(input).some((name) => name === "all" || name === input.blueprint.facts.uplink.name);
    return offline ? { ...outcome, hop: "uplink" } : outcome;
  },
};

const devicesOf = ({ ways, workers }: Blueprint): string[] => [...ways, ...workers].map((w) => w.device);

/** Setting ip_forward sets each device; afterwards one may be switched off by itself (ip-sysctl.rst). */
function deviceProblems({ blueprint, survey }: CheckInput): Problem[] {
  return devicesOf(blueprint).filter((d) => linkOf(survey, d)).flatMap((device) => {
    const key = `net/ipv4/conf/${device}/forwarding`;
    if (survey.sysctls[key] !== "0") return [];
    const argv = [Program.sysctl, "-q", "-w", `${key}=1`];
    return [{
      found: `${key} is 0: what comes in by ${device} is not forwarded`,
      want: `${key} = 1`,
      steps: [{ title: `set ${key}`, actions: [run(argv)] }],
      evidence: [sysctlEvidence(key, survey)],
    }];
  });
}

/** Lines for single devices, or for those to come: ip_forward is 1 by then, and setting it to 1 again moves nothing. */
function laterProblems({ blueprint, host }: CheckInput): Problem[] {
  const lines = host?.sysctlLines ?? [];
  const found = new Map<string, { decided: Decision; devices: string[] }>();
  for (const device of devicesOf(blueprint)) {
    const decided = decision(lines, `net/ipv4/conf/${device}/forwarding`) ?? inherited(lines);
    if (decided?.value !== "0") continue;
    const place = placeOf(decided);
    found.set(place, { decided, devices: [...found.get(place)?.devices ?? [], device] });
  }
  return [...found.values()].map(({ decided, devices }) => {
    const keys = devices.map((device) => `net/ipv4/conf/${device}/forwarding`).join(" and ");
    return later(decided, keys, `what comes in by ${devices.join(" and ")} will not be forwarded`);
  });
}

/** What a device gets that is made after all files were read, unless ip_forward comes later and sets it as well. */
function inherited(lines: SysctlLine[]): Decision | undefined {
  const decided = decision(lines, "net/ipv4/conf/default/forwarding");
  const master = decision(lines, "net/ipv4/ip_forward");
  const at = (d: Decision | undefined) => lines.findIndex((l) => l.file === d?.file && l.line === d.line);
  return at(decided) > at(master) ? decided : undefined;
}

const later = (decided: Decision, key: string, consequence: string): Problem => ({
  found: `${placeOf(decided)} sets ${key} to ${decided.value}: after the next boot ${consequence}`,
  want: `${key} left alone by every sysctl file`,
  fix: [outComment(decided)],
  evidence: [lineEvidence(decided, key)],
  carries: true,
});

/** Without IPv6 on it a device has neither addresses nor routes of that family, and takes no such packet. */
function disabledProblems(input: CheckInput): Problem[] {
  const { blueprint, survey, host } = input;
  const now = disabledIpv6(input);
  const routes = blueprint.items.filter((i) => i.kind === "route" && i.family === "inet6");
  return [
    ...now.map((name): Problem => {
      const key = `net/ipv6/conf/${name}/disable_ipv6`;
      const found = `${key} is 1: ${name === "all" ? "no device has IPv6" : `${name} has none`}`;
      const evidence = [sysctlEvidence(key, survey)];
      // Its addresses and routes are gone with it, and they are not crxn's: whoever set it up has to do that again.
      if (name === blueprint.facts.uplink.name) {
        return {
          found,
          want: `${key} = 0, and its addresses again`,
          fix: [[Program.sysctl, "-w", `${key}=0`]],
          evidence,
        };
      }
      return {
        found,
        want: `${key} = 0`,
        steps: [{ title: `switch IPv6 on (${name})`, actions: [run([Program.sysctl, "-q", "-w", `${key}=0`])] }],
        items: routes,
        evidence,
      };
    }),
    ...["all", ...ipv6Devices(blueprint)].filter((name) => !now.includes(name)).flatMap((name): Problem[] => {
      const key = `net/ipv6/conf/${name}/disable_ipv6`;
      const decided = decision(host?.sysctlLines ?? [], key);
      if (decided?.value !== "1") return [];
      return [later(decided, key, `${name === "all" ? "no device" : name} will have IPv6`)];
    }).slice(0, 1),
  ];
}
