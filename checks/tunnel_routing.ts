import { Program, run } from "../gateway/action.ts";
import { ignoredSettings, schemaName } from "../gateway/capability.ts";
import { daemonPath } from "../gateway/daemon.ts";
import type { ChainItem, Item, LinkItem } from "../gateway/item.ts";
import { Path, Unit } from "../gateway/names.ts";
import { see } from "../gateway/see.ts";
import { hasJump } from "../gateway/see_rules.ts";
import { linkOf } from "../gateway/survey.ts";
import { routingSection } from "../gateway/yggdrasil_config.ts";
import type { Check, CheckInput, Outcome } from "./check.ts";
import { excusedByDevice, itemsOn, restart, withDependents } from "./device.ts";
import { stepsFor } from "./fix.ts";
import { itemsOf } from "./owner.ts";
import { plainRules } from "./forward_policy.ts";
import { itemProblems, outcomeOf, type Problem, withFile } from "./problem.ts";
import { renamedTo, renaming } from "./renamed.ts";
import { routeProblems } from "./route_problems.ts";
import { excusedByFlush } from "./flushed.ts";
import { tunnelDrops } from "./tunnel_drops.ts";
import { sectionProblems } from "./tunnel_section.ts";

/** How IPv4 gets to the node that carries the overlay. */
export const tunnelRouting: Check = {
  id: "tunnel-routing",
  title: "The overlay link is there and up",
  hop: "overlay",
  needs: [],
  looksAt:
    "yggdrasil: which way IPv4 takes; the kernel tunnel to each far node, its kind, both ends, id, port and underlay, its settings; the rules that let its packets in and hold every node to its own networks; what the daemon can do, and whether TunnelRouting in its config is what crxn.yaml says, and what of it the daemon ignores. An existing link: that it exists, is up and has a carrier.",
  why:
    "No packaged yggdrasil has tunnel routing any more (removed in 0.4.0): it drops every IPv4 packet in silence, and a TunnelRouting section with it. So IPv4 travels in a kernel tunnel between the two nodes, or with a daemon that has tunnel routing. Both ends must use the same kind.",
  cure:
    "`crxn up` makes the tunnel anew, with its address and routes. An existing link is brought up by whatever made it (`wg-quick up`, ...); within seconds crxn-link.service then puts address and routes on it.",
  run: (input) => input.blueprint.config.overlay.type === "interface" ? existing(input) : tunnel(input),
};

function existing(input: CheckInput): Outcome {
  const name = input.blueprint.overlayDevice;
  const link = linkOf(input.survey, name);
  const want = `${name} up, with a carrier`;
  if (input.survey.links.length === 0) return { verdict: "unknown", found: "ip does not answer" };
  if (!link) {
    const now = renamedTo(name, input);
    if (now === undefined) return { verdict: "fail", found: `the overlay link ${name} does not exist`, want };
    return {
      verdict: "fail",
      found: `the overlay link ${name} does not exist; ${now} has its address: it was renamed`,
      want: `${want}; or overlay.interface: ${now} in crxn.yaml, and \`crxn up\``,
      fix: renaming(now, name),
    };
  }
  if (!link.up) {
    const argv = [Program.ip, "link", "set", "dev", name, "up"];
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
        : itemProblems([l], input).map((p) => named(p, l, input))
    ),
    ...itemProblems(rest, input, (item) => excusedByFlush(input)(item) ?? excusedByDevice(input)(item)),
    ...inputProblems(input),
    ...sectionProblems(input),
    ...routeProblems("tunnel-routing", input),
    ...ignoredProblems(input),
    ...refusedProblems(input),
  ];
  return outcomeOf(problems, input, kind ? describe(blueprint) : undefined);
}

/** A tunnel that goes on under another name gets its own again: two to one node cannot be. */
function named(problem: Problem, item: LinkItem, input: CheckInput): Problem {
  const now = linkOf(input.survey, item.name) ? undefined : renamedTo(item.name, input);
  if (now === undefined) return withDependents(problem, item, input);
  const actions = renaming(now, item.name).map((argv) => run(argv));
  return {
    ...problem,
    found: `${problem.found}; ${now} has its address: it was renamed`,
    items: [],
    // The kernel has taken the routes off it.
    steps: [
      { title: `name ${now} ${item.name} again`, actions },
      ...stepsFor(itemsOn(item.name, input.blueprint).filter((i) => i.kind === "route"), input.survey),
    ],
  };
}

/** Which kind it is and why, and what the daemon could do. */
function describe({ facts, ways, config }: CheckInput["blueprint"]): string {
  const { daemon, tunnel } = facts;
  const path = config.overlay.type === "yggdrasil" ? daemonPath(config.overlay.daemon) : "the daemon";
  const can = daemon?.ckr ? schemaName(daemon.ckr) : "no tunnel routing";
  return `${ways.map((w) => w.device).join(", ")}: ${tunnel?.kind} (${tunnel?.why}); ${path}: ${can}`;
}

/** A daemon drops a setting that it does not know without a word: a person has to hear of it from somebody. */
function ignoredProblems({ blueprint, survey }: CheckInput): Problem[] {
  const section = routingSection(survey.files[Path.yggdrasilConfig]?.content ?? "");
  const { daemon } = blueprint.facts;
  if (!section || !daemon || section["Enable"] === false) return [];
  const ignored = ignoredSettings(section, daemon).filter((name) =>
    name.endsWith("Subnets") && Object.keys(section[name] ?? {}).length > 0
  );
  if (ignored.length === 0) return [];
  return [{
    found: `the daemon ignores ${ignored.join(", ")} of TunnelRouting in ${Path.yggdrasilConfig}: ${
      daemon.ckr ? `its own is ${schemaName(daemon.ckr)}` : "it has no tunnel routing"
    }`,
    want: "the networks in overlay.routes, and no TunnelRouting of that kind",
    verdict: "warn",
    carries: true,
  }];
}

/** What daemons with tunnel routing say of a subnet that they do not take, and of a device that they could not have. */
const REFUSALS: [pattern: RegExp, what: string][] = [
  [/Error adding (?:CKR|routed) .*subnet/, "the daemon has refused a network of TunnelRouting"],
  [/An error occurred starting TUN\/TAP/, "the daemon runs without its device, and no packet passes"],
  [/Failed to add route/, "the daemon could not add a route"],
];

function refusedProblems({ blueprint, daemonLog = [] }: CheckInput): Problem[] {
  if (blueprint.facts.tunnel?.kind !== "ckr") return [];
  return REFUSALS.flatMap(([pattern, what]) => {
    const line = daemonLog.findLast((l) => pattern.test(l));
    if (line === undefined) return [];
    return [{
      found: `${what}: ${line.trim()}`,
      want: "no such line since the daemon's start",
      steps: [restart(Unit.yggdrasil)],
      evidence: [{ command: [Program.journalctl, `--unit=${Unit.yggdrasil}`], output: line }],
    }];
  });
}

/** The tunnel's packets have to pass INPUT: our rules let them in, from the known nodes only. */
function inputProblems(input: CheckInput): Problem[] {
  const { blueprint, survey } = input;
  const item = blueprint.items.find(isTunnelChain);
  if (!item) return [];
  if (survey.unreadable?.includes("ip6 filter") || !tunnelRulesBroken(item, input)) {
    return tunnelDrops(input, acceptsAsWanted(item, survey) ? [] : withFile(item, input));
  }
  if (!survey.rules.inet6) return [{ found: "the rules may be read by root only", verdict: "unknown" }];
  return itemProblems([item], input, excusedByFlush(input));
}

/** Not so when a policy or rule of somebody else's has come after `up`: then the chain has to accept, and does not yet. */
const acceptsAsWanted = (item: ChainItem, survey: CheckInput["survey"]): boolean =>
  plainRules(item.rules) === item.rules.map((r) => r.join(" ")).join("\n") ||
  see(item, survey).is === "present";

export const isTunnelChain = (item: Item): item is ChainItem =>
  item.kind === "chain" && item.family === "inet6" && item.table === "filter" && item.from === "INPUT" &&
  item.rules.some((r) => r.includes("crxn:tunnel"));

/** Whether what is wrong with the chain concerns the tunnel; the rest of it guards the machine (see drift). */
export function tunnelRulesBroken(item: ChainItem, { survey }: CheckInput): boolean {
  const chain = survey.rules.inet6?.filter?.[item.chain];
  if (!chain) return see(item, survey).is !== "present";
  // Whether it accepts or returns depends on who drops behind it.
  const of = (rules: string[][]) => plainRules(rules.filter((r) => r.some((w) => /^crxn:(only-)?tunnel$/.test(w))));
  return of(chain.rules) !== of(item.rules) || !hasJump(item, survey);
}
