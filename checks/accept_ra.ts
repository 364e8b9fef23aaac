import { defaultUplink, type Survey } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
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
    "The IPv6 default route; net.ipv6.conf.DEVICE.accept_ra where a router announces it, now and in /etc/sysctl.d/crxn.conf.",
  why:
    "With forwarding on the kernel ignores router advertisements unless accept_ra is 2: it drops the default route, and the machine is cut off.",
  cure: "`sysctl -w net.ipv6.conf.DEVICE.accept_ra=2`; the route comes back with the router's next advertisement.",
  run: (input, others) => {
    // Under its new name the uplink has nothing set for it yet; without it there is no default route.
    const gone = lostUplink(input);
    if (gone) return { verdict: "skip", found: `cannot be judged without ${gone}: see uplink` };
    const sysctls = sysctlProblems(itemsOf("accept-ra", input.blueprint), input);
    if (sysctls.length > 0) return outcomeOf(sysctls, input);
    const down = others("uplink").verdict === "fail" ? { excuse: "the uplink is not up: see uplink" } : {};
    return outcomeOf(routeProblem(input).map((p) => ({ ...p, ...down })), input, fine(input));
  },
};

function fine({ survey }: CheckInput): string | undefined {
  const route = defaultUplink(survey);
  return route && `default ${route.via ? `via ${route.via} ` : ""}dev ${route.device}`;
}

function routeProblem({ blueprint, survey }: CheckInput): Problem[] {
  if (defaultUplink(survey)) return [];
  const named = blueprint.config.uplink;
  return [{
    found: `there is no IPv6 default route${named ? "" : `, and crxn.yaml names no uplink${devicesOf(survey)}`}`,
    want: "a default route to the IPv6 Internet, where the clients are",
    // Clients may all be on networks that this machine has routes to: whoever names an uplink may have meant that.
    ...(named ? { verdict: "warn" as const } : {}),
    evidence: [{ command: ["/usr/sbin/ip", "-6", "route", "show", "default"], output: "" }],
  }];
}

/** Those that may be meant: one of them may have no network any more, or another name than it had. */
function devicesOf({ links }: Survey): string {
  const shown = links.filter((l) => l.name !== "lo" && l.kind !== "tun").map((l) => {
    const addresses = l.addresses.filter((a) => a.scope === "global").map((a) => a.address).join(" ");
    return `${l.name} (${l.up ? addresses || "no address" : "down"})`;
  });
  return shown.length > 0 ? `; the devices are ${shown.join(", ")}` : "";
}
