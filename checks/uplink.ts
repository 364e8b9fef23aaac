import { Program } from "../gateway/action.ts";
import type { Item } from "../gateway/item.ts";
import { Path, Unit, unitPath } from "../gateway/names.ts";
import { defaultUplink, type Link, linkOf, type Survey } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { UP } from "./fix.ts";
import { isStandard } from "./fib.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { renaming } from "./renamed.ts";
import { routeFaults } from "./route_faults.ts";
import { routeProblems } from "./route_problems.ts";

/** The device to the IPv6 Internet. */
export const uplink: Check = {
  id: "uplink",
  title: "The uplink is there, and answers to clients leave by it",
  hop: "uplink",
  needs: [],
  looksAt:
    "The device that crxn.yaml names as uplink, or that `crxn up` found: that it is there, up, and has a carrier. By which device the kernel sends what comes out of the translator for a client.",
  why:
    "Names of devices change, with a new card or a new version of systemd. What was set for the old name is then set for nothing.",
  cure:
    "Correct `uplink` in /etc/crxn/crxn.yaml and run `crxn up`; `ip -6 rule del` the rule that leads answers elsewhere.",
  run: (input) => {
    const { config } = input.blueprint;
    if (!config.nat64 && config.uplink === undefined) {
      return { verdict: "skip", found: "not a gateway: crxn.yaml has no prefix, and names no uplink" };
    }
    if (input.survey.links.length === 0) return { verdict: "unknown", found: "ip does not answer" };
    const gone = lostUplink(input);
    if (gone) return outcomeOf([renamed(gone, input)], input);
    const { name } = input.blueprint.facts.uplink;
    const down = name === "lo" ? knownUplinks(input).filter((d) => idle(d, input.survey)) : [name];
    const problems = [...down.flatMap((d) => downProblem(d, input)), ...answers(input)];
    if (name === "lo" && problems.length === 0) {
      return { verdict: "skip", found: "no device leads to the IPv6 Internet" };
    }
    return outcomeOf(problems, input, `${name}, MTU ${input.blueprint.facts.uplink.mtu}`);
  },
};

/** What the config or an earlier `up` takes for the uplink: the first is by name, the rest are where it has set accept_ra. */
function knownUplinks({ blueprint, survey, journal }: CheckInput): string[] {
  if (blueprint.config.uplink !== undefined) return [blueprint.config.uplink];
  if (!blueprint.config.nat64) return [];
  const keys = [
    ...[...journal?.entries.values() ?? []].flatMap(({ item }) => item.kind === "sysctl" ? [item.key] : []),
    // The journal is root's alone.
    ...(survey.files[Path.sysctl]?.content ?? "").split("\n").map((line) => line.split(" = ")[0]!),
  ];
  return [...new Set(keys.flatMap((key) => /^net\/ipv6\/conf\/([^/]+)\/accept_ra$/.exec(key)?.[1] ?? []))];
}

/** The name of the uplink, if no device has it any more. */
export function lostUplink(input: CheckInput): string | undefined {
  const { blueprint, survey } = input;
  if (survey.links.length === 0) return undefined;
  const known = knownUplinks(input);
  const { name } = blueprint.facts.uplink;
  // Another device that router advertisements came by may have gone for good: this one is known, or has no use for them.
  if (known.includes(name)) return undefined;
  if (blueprint.config.uplink === undefined && survey.sysctls[`net/ipv6/conf/${name}/accept_ra`] === "0") {
    return undefined;
  }
  return known.find((device) => linkOf(survey, device) === undefined);
}

const idle = (device: string, survey: Survey) => {
  const link = linkOf(survey, device);
  return link !== undefined && (!link.up || !link.carrier);
};

function downProblem(device: string, { survey }: CheckInput): Problem[] {
  const link = linkOf(survey, device);
  if (!link || !idle(device, survey)) return [];
  return [{
    found: `the uplink ${device} ${link.up ? "has no carrier" : "is down"}`,
    want: `${device} up, with a carrier`,
    ...(link.up ? {} : { fix: [[Program.ip, "link", "set", "dev", device, "up"]] }),
  }];
}

function renamed(gone: string, input: CheckInput): Problem {
  const { config } = input.blueprint;
  const now = successor(input);
  const by = config.uplink === undefined ? "that `crxn up` found" : "that crxn.yaml names";
  const found = `the uplink ${gone}, ${by}, does not exist`;
  const evidence = [{
    command: [Program.ip, "-br", "address"],
    output: input.survey.links.map((l) => [l.name, ...l.addresses.map((a) => a.address)].join(" ")).join("\n"),
  }];
  if (!now) return { found, want: gone, evidence };
  const problem = {
    found: `${found}; ${now.device} ${now.has}: it may be the same under a new name`,
    want: `${now.device} in the place of ${gone} in what was made for it`,
    evidence,
  };
  // Who set up its network did it for the old name as well.
  if (!now.online) {
    return { ...problem, want: `${gone}, or a network for ${now.device}`, fix: renaming(now.device, gone) };
  }
  const edit = [Program.sed, "-i", `s/^uplink:.*/uplink: ${now.device}/`, Path.config];
  if (config.uplink !== undefined) return { ...problem, want: `uplink: ${now.device}`, fix: [edit, UP], carries: true };
  return { ...problem, items: madeFor(input), carries: true };
}

/** What is set for the uplink, now and at boot. */
const madeFor = ({ blueprint }: CheckInput): Item[] =>
  blueprint.items.filter((i) =>
    (i.kind === "file" && [Path.sysctl, unitPath(Unit.overlay)].includes(i.path)) ||
    (i.kind === "sysctl" && i.key.endsWith("/accept_ra"))
  );

/** The device that may be it: by its default route, else by an address that is not the overlay's. */
function successor({ blueprint, survey }: CheckInput): { device: string; has: string; online: boolean } | undefined {
  const route = defaultUplink(survey);
  if (route?.device) return { device: route.device, has: "has the IPv6 default route", online: true };
  const ours = new Set([...[...blueprint.ways, ...blueprint.workers].map((w) => w.device), "lo"]);
  const others = survey.links.filter((l) => !ours.has(l.name) && l.kind !== "tun");
  const address = (l: Link) => l.addresses.find((a) => a.scope === "global")?.address;
  const other = others.find((l) => address(l)) ?? (others.length === 1 ? others[0] : undefined);
  if (!other) return undefined;
  const has = address(other) ? `has the address ${address(other)}` : "is there";
  return { device: other.name, has, online: false };
}

/** A rule for the prefix that leads answers out by another device can be meant so, where crxn.yaml names no uplink. */
function answers(input: CheckInput): Problem[] {
  const faults = routeFaults(input);
  const { config, ways, workers } = input.blueprint;
  const inward = [...[...ways, ...workers].map((w) => w.device), "lo"];
  const meant = faults.some((f) =>
    f.leg.check === "uplink" && f.decided.type === "unicast" && f.decided.rule?.from !== undefined &&
    !isStandard(f.decided.rule) && !f.decided.devices.some((d) => inward.includes(d))
  );
  return routeProblems("uplink", input, faults).map((p) =>
    meant && config.uplink === undefined ? { ...p, verdict: "warn" as const } : p
  );
}
