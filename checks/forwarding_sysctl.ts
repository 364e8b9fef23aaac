import { Program } from "../gateway/action.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { sysctlEvidence } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { sysctlProblems } from "./persisted.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** The kernel's leave to pass packets on. */
export const forwardingSysctl: Check = {
  id: "forwarding-sysctl",
  title: "The kernel forwards, now and after a reboot",
  hop: "forward",
  needs: [],
  looksAt:
    "net.ipv4.ip_forward, net.ipv4.conf.DEVICE.forwarding of the devices that packets come in by, on a gateway net.ipv6.conf.all.forwarding, and the lines of /etc/sysctl.d/crxn.conf.",
  why:
    "With forwarding off the kernel drops every packet that is not for the machine itself. In IPv6 the setting of `all` alone decides; in IPv4 that of the device it came in by.",
  cure:
    "`sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1` now; /etc/sysctl.d/crxn.conf for later (`crxn up`).",
  run: (input) => {
    const problems = sysctlProblems(itemsOf("forwarding-sysctl", input.blueprint), input);
    const master = input.survey.sysctls["net/ipv4/ip_forward"];
    return outcomeOf([...problems, ...(master === "1" ? deviceProblems(input) : [])], input);
  },
};

/** Setting ip_forward sets each device; afterwards one may be switched off by itself (ip-sysctl.rst). */
function deviceProblems({ blueprint, survey }: CheckInput): Problem[] {
  const devices = [
    ...blueprint.ways.map((w) => w.device),
    ...(blueprint.translatorDevice ? [blueprint.translatorDevice] : []),
  ];
  return devices.filter((d) => linkOf(survey, d)).flatMap((device) => {
    const key = `net/ipv4/conf/${device}/forwarding`;
    if (survey.sysctls[key] !== "0") return [];
    const argv = [Program.sysctl, "-q", "-w", `${key}=1`];
    return [{
      found: `${key} is 0: what comes in by ${device} is not forwarded`,
      want: `${key} = 1`,
      steps: [{ title: `set ${key}`, actions: [{ do: "run" as const, argv }] }],
      evidence: [sysctlEvidence(key, survey)],
    }];
  });
}
