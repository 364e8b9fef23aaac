import { Program } from "../gateway/action.ts";
import { contains, parseNetwork } from "../gateway/cidr.ts";
import { probeClient } from "../gateway/probe_plan.ts";
import { defaultUplink, linkOf, type RouteSeen } from "../gateway/survey.ts";
import { slicesOf } from "../gateway/translator.ts";
import type { Check, CheckInput, Evidence, Outcome } from "./check.ts";
import { routeLine } from "./evidence.ts";
import type { Arrival } from "./probe_result.ts";

/** Whether the provider really routes the network here. */
export const prefixRouted: Check = {
  id: "prefix-routed",
  title: "The network of the prefix is routed to this machine",
  hop: "uplink",
  only: "gateway",
  early: true,
  needs: [],
  looksAt:
    "An address in `routed`, beside the prefix, asks the provider's first router, which has to answer (hop limit 2: \"time exceeded\"). Does the answer find the way here, or is there a neighbour solicitation for that address on the uplink? Besides, whether `routed` is the uplink's own network.",
  why:
    "A network that is only on-link is asked for by neighbour solicitation, address by address, and nobody answers for addresses behind the translator.",
  cure: "Have the provider route a network to this machine's address, or let ndppd answer for it.",
  run: (input) => {
    const { arrival, blueprint, survey } = input;
    const evidence = arrival ? [{ command: arrival.command, output: arrival.output }] : [];
    const own = onLink(input);
    if (arrival?.answeredBy) {
      const by = arrival.solicited ? ", after a neighbour solicitation that was answered (ndppd?)" : "";
      return {
        verdict: "pass",
        found: `the answer of ${arrival.answeredBy} to ${arrival.address} arrives${by}`,
        evidence,
      };
    }
    if (arrival?.solicited) return asked(arrival, own, input, evidence);
    if (own.length > 0) return connected(own, input, evidence);
    if (!defaultUplink(survey)) return { verdict: "skip", found: "there is no IPv6 default route to ask by" };
    if (!arrival) {
      return { verdict: "skip", found: survey.root ? "not measured" : "only root can ask the provider's router" };
    }
    if (arrival.left === 0) {
      return {
        verdict: "skip",
        found: `not measured: this machine does not forward packets of ${blueprint.config.routed} to the uplink`,
        evidence,
      };
    }
    return {
      verdict: "unknown",
      found: `the provider's router does not answer ${arrival.address}, and does not ask for it on the uplink either`,
      want:
        `ask the provider: is ${blueprint.config.routed} routed to this machine, and to which of its addresses as next hop?`,
      evidence,
    };
  },
};

/** Routes by which `routed` is the uplink's own network. */
function onLink({ blueprint, survey }: CheckInput): RouteSeen[] {
  const routed = parseNetwork(blueprint.config.routed!)!;
  return survey.routes.filter((r) => {
    const to = parseNetwork(r.to);
    return r.family === "inet6" && r.type === "unicast" && !r.via && r.device === blueprint.facts.uplink.name &&
      to !== undefined && r.table === "main" && contains(to, routed);
  });
}

/** The router asks its link for the address instead of sending the packet here. */
function asked({ address }: Arrival, own: RouteSeen[], input: CheckInput, evidence: Evidence[]): Outcome {
  const { config, facts } = input.blueprint;
  const why = own[0] ? ` (the uplink's own network: "${routeLine(own[0])}")` : "";
  return {
    verdict: "fail",
    found:
      `${config.routed} is not routed here but on-link${why}: the router asks for ${address} on ${facts.uplink.name}`,
    ...cure(input),
    evidence,
  };
}

/** Nothing was measured: the connected network alone tells, unless this machine answers for others. */
function connected(own: RouteSeen[], input: CheckInput, evidence: Evidence[]): Outcome {
  const { config, facts } = input.blueprint;
  const proxies = ["all", facts.uplink.name].some((d) => input.survey.sysctls[`net/ipv6/conf/${d}/proxy_ndp`] === "1");
  if (proxies) {
    return {
      verdict: "pass",
      found: `in the uplink's own network, and ${facts.uplink.name} answers for others (proxy_ndp)`,
    };
  }
  return {
    verdict: "warn",
    found: `${config.routed} lies in the uplink's own network: "${own.map(routeLine).join('", "')}"`,
    ...cure(input),
    ...(evidence.length > 0 ? { evidence } : {}),
  };
}

/**
 * ndppd.conf(5): answers for what is translated and for the probe's client, and for nobody else's address of the network: the
 * router itself may be 2001:db8::1 of 2001:db8::/96.
 */
function cure({ blueprint: { config, facts }, survey }: CheckInput): Pick<Outcome, "want" | "fix"> {
  const client = probeClient(config, linkOf(survey, facts.uplink.name));
  const rules = [
    ...slicesOf(config),
    ...("address" in client && client.routed ? [`${client.address}/128`] : []),
  ].map((network) => `rule ${network} { static }`);
  return {
    want:
      `a network that the provider routes to this machine, as \`routed\` and \`prefix\`; or ndppd, with /etc/ndppd.conf: ` +
      `proxy ${facts.uplink.name} { ${rules.join(" ")} }`,
    fix: [[Program.aptGet, "install", "ndppd"], [Program.systemctl, "restart", "ndppd"]],
  };
}
