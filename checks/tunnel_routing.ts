import type { ChainItem, Item } from "../gateway/item.ts";
import { hasJump, see } from "../gateway/see.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput, Outcome } from "./check.ts";
import { excusedByDevice, itemsOn, withDependents } from "./device.ts";
import { decide } from "./firewall_walk.ts";
import { chainEvidence } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** How IPv4 gets to the node that carries the overlay. */
export const tunnelRouting: Check = {
  id: "tunnel-routing",
  title: "The overlay link is there and up",
  hop: "overlay",
  needs: [],
  looksAt:
    "yggdrasil: the kernel tunnel to the far node, its kind, both ends, id, port and underlay, its settings, and the rules that let its packets in. An existing link: that it exists, is up and has a carrier.",
  why:
    "No packaged yggdrasil has tunnel routing any more (removed in 0.4.0): it drops every IPv4 packet in silence, so IPv4 travels in a kernel tunnel between the two nodes. Both ends must use the same kind.",
  cure:
    "`crxn up` makes the tunnel anew, with its address and routes. An existing link is brought up by whatever made it (`wg-quick up`, ...); within seconds crxn-link.service then puts address and routes on it.",
  run: (input) => input.blueprint.config.overlay.type === "interface" ? existing(input) : tunnel(input),
};

function existing(input: CheckInput): Outcome {
  const name = input.blueprint.overlayDevice;
  const link = linkOf(input.survey, name);
  const want = `${name} up, with a carrier`;
  if (!link) return { verdict: "fail", found: `the overlay link ${name} does not exist`, want };
  if (!link.up) {
    const argv = ["/usr/sbin/ip", "link", "set", "dev", name, "up"];
    const steps = [{ title: `bring up ${name}`, actions: [{ do: "run" as const, argv }] }];
    // The kernel takes routes off a link that goes down, and does not put them back.
    const items = itemsOn(name, input.blueprint);
    return {
      ...outcomeOf([{ found: `the overlay link ${name} is down`, want }], input),
      fix: [argv, ...outcomeOf([{ found: "", items }], input).fix ?? []],
      mend: { items, steps },
    };
  }
  if (!link.carrier) return { verdict: "fail", found: `the overlay link ${name} has no carrier`, want };
  return { verdict: "pass", found: `${name}, MTU ${link.mtu}` };
}

function tunnel(input: CheckInput): Outcome {
  const { blueprint } = input;
  const kind = blueprint.facts.tunnel;
  if (blueprint.config.overlay.routes.length === 0) {
    return { verdict: "skip", found: "crxn.yaml names no far node (overlay.routes)" };
  }
  const items = itemsOf("tunnel-routing", blueprint);
  const links = items.flatMap((i) => i.kind === "link" ? [i] : []);
  const rest = items.filter((i) => i.kind !== "link");
  const problems = [
    // A tunnel without the device below it is that one's fault.
    ...links.flatMap((l) =>
      "underlay" in l.spec && linkOf(input.survey, l.spec.underlay) === undefined
        ? []
        : itemProblems([l], input).map((p) => withDependents(p, l, input))
    ),
    ...itemProblems(rest, input, excusedByDevice(input)),
    ...inputProblems(input),
  ];
  return outcomeOf(problems, input, kind ? `${blueprint.overlayDevice}: ${kind.kind} (${kind.why})` : undefined);
}

/** The tunnel's packets have to pass INPUT: our rules let them in, from the known nodes only. */
function inputProblems(input: CheckInput): Problem[] {
  const { blueprint, survey } = input;
  const item = blueprint.items.find(isTunnelChain);
  if (!item || !tunnelRulesBroken(item, input)) return item ? dropped(item, input) : [];
  if (!survey.rules.inet6) return [{ found: "the rules may be read by root only", verdict: "unknown" }];
  return itemProblems([item], input);
}

export const isTunnelChain = (item: Item): item is ChainItem =>
  item.kind === "chain" && item.family === "inet6" && item.table === "filter" && item.from === "INPUT" &&
  item.rules.some((r) => r.includes("crxn:tunnel"));

/** Whether what is wrong with the chain concerns the tunnel; the rest of it guards the machine (see drift). */
export function tunnelRulesBroken(item: ChainItem, { survey }: CheckInput): boolean {
  const chain = survey.rules.inet6?.filter?.[item.chain];
  if (!chain) return see(item, survey).is !== "present";
  const of = (rules: string[][]) =>
    rules.filter((r) => r.some((w) => /^crxn:(only-)?tunnel$/.test(w))).map((r) => r.join(" ")).join("\n");
  return of(chain.rules) !== of(item.rules) || !hasJump(item, survey);
}

function dropped(item: ChainItem, input: CheckInput): Problem[] {
  const table = input.survey.rules.inet6?.filter;
  if (!table) return [];
  return item.rules.filter((r) => r.includes("crxn:tunnel")).flatMap((rule) => {
    const word = (name: string) => rule.includes(name) ? rule[rule.indexOf(name) + 1] : undefined;
    const [source, device, protocol, port] = [word("-s")?.split("/")[0], word("-i"), word("-p"), word("--dport")];
    const decision = decide(table, "INPUT", {
      ...(source ? { source } : {}),
      ...(device ? { in: device } : {}),
      ...(protocol ? { protocol } : {}),
      ...(port ? { port: Number(port) } : {}),
      state: "NEW",
    });
    if (!decision || !["DROP", "REJECT"].includes(decision.target) || decision.doubts.includes("ACCEPT")) return [];
    const by = decision.rule
      ? `the rule "${decision.rule.join(" ")}" in ${decision.chain}`
      : `the policy of ${decision.chain}`;
    return [{
      found: `packets of the tunnel from ${source} are dropped by ${by}`,
      want: "tunnel packets from the far node accepted in INPUT",
      fix: [["/usr/sbin/ip6tables", "-w", "-I", "INPUT", "1", ...rule.slice(0, rule.indexOf("-j")), "-j", "ACCEPT"]],
      evidence: [chainEvidence("inet6", "filter", ["INPUT", decision.chain], input.survey)],
    }];
  });
}
