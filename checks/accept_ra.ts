import { defaultUplink } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { sysctlProblems } from "./persisted.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** The machine's own way to the IPv6 Internet. */
export const acceptRa: Check = {
  id: "accept-ra",
  title: "The IPv6 default route is there, and stays",
  hop: "uplink",
  only: "gateway",
  needs: [],
  looksAt:
    "The IPv6 default route; net.ipv6.conf.DEVICE.accept_ra where a router announces it, now and in /etc/sysctl.d/crxn.conf.",
  why:
    "With forwarding on the kernel ignores router advertisements unless accept_ra is 2: it drops the default route, and the machine is cut off.",
  cure: "`sysctl -w net.ipv6.conf.DEVICE.accept_ra=2`; the route comes back with the router's next advertisement.",
  run: (input) => {
    const sysctls = sysctlProblems(itemsOf("accept-ra", input.blueprint), input);
    return outcomeOf([...sysctls, ...(sysctls.length > 0 ? [] : routeProblem(input))], input, fine(input));
  },
};

function fine({ survey }: CheckInput): string | undefined {
  const route = defaultUplink(survey);
  return route && `default ${route.via ? `via ${route.via} ` : ""}dev ${route.device}`;
}

function routeProblem({ blueprint, survey }: CheckInput): Problem[] {
  if (defaultUplink(survey)) return [];
  if (survey.links.length === 0) return [{ found: "ip does not answer", verdict: "unknown" }];
  const named = blueprint.config.uplink;
  return [{
    found: `there is no IPv6 default route${named ? "" : ", and crxn.yaml names no uplink"}`,
    want: "a default route to the IPv6 Internet, where the clients are",
    // Clients may all be on networks that this machine has routes to: whoever names an uplink may have meant that.
    ...(named ? { verdict: "warn" as const } : {}),
    evidence: [{ command: ["/usr/sbin/ip", "-6", "route", "show", "default"], output: "" }],
  }];
}
