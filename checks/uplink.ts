import { Path } from "../gateway/names.ts";
import { defaultUplink, linkOf, type Survey } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { UP } from "./fix.ts";
import { isStandard } from "./fib.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { routeFaults } from "./route_faults.ts";
import { routeProblems } from "./route_problems.ts";

/** The device to the IPv6 Internet. */
export const uplink: Check = {
  id: "uplink",
  title: "The uplink is there, and answers to clients leave by it",
  hop: "uplink",
  only: "gateway",
  needs: [],
  looksAt:
    "The device that crxn.yaml names as uplink, or that `crxn up` found: that it is there, up, and has a carrier. By which device the kernel sends what comes out of the translator for a client.",
  why:
    "Names of devices change, with a new card or a new version of systemd. What was set for the old name is then set for nothing.",
  cure:
    "Correct `uplink` in /etc/crxn/crxn.yaml and run `crxn up`; `ip -6 rule del` the rule that leads answers elsewhere.",
  run: (input) => {
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
  const keys = [
    ...[...journal?.entries.values() ?? []].flatMap(({ item }) => item.kind === "sysctl" ? [item.key] : []),
    // The journal is root's alone.
    ...(survey.files[Path.sysctl]?.content ?? "").split("\n").map((line) => line.split(" = ")[0]!),
  ];
  return [...new Set(keys.flatMap((key) => /^net\/ipv6\/conf\/([^/]+)\/accept_ra$/.exec(key)?.[1] ?? []))];
}

/** The name of the uplink, if no device has it any more. */
export function lostUplink(input: CheckInput): string | undefined {
  if (!input.blueprint.config.nat64) return undefined;
  const known = knownUplinks(input);
  // Another device that router advertisements come by may have gone for good.
  if (known.includes(input.blueprint.facts.uplink.name)) return undefined;
  return known.find((device) => linkOf(input.survey, device) === undefined);
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
    ...(link.up ? {} : { fix: [["/usr/sbin/ip", "link", "set", "dev", device, "up"]] }),
  }];
}

function renamed(gone: string, input: CheckInput): Problem {
  const { blueprint, survey } = input;
  const { config } = blueprint;
  const now = successor(input);
  const by = config.uplink === undefined ? "that `crxn up` found" : "that crxn.yaml names";
  const want = config.uplink === undefined || !now
    ? `${gone}, or what is set for it set for the new name`
    : `uplink: ${now.device}`;
  const edit = ["/usr/bin/sed", "-i", `s/^uplink:.*/uplink: ${now?.device}/`, Path.config];
  return {
    found: `the uplink ${gone}, ${by}, does not exist` +
      (now ? `; ${now.device} ${now.has}: it may be the same under a new name` : ""),
    want,
    ...(now ? { fix: config.uplink === undefined ? [UP] : [edit, UP] } : {}),
    evidence: [{
      command: ["/usr/sbin/ip", "-br", "address"],
      output: survey.links.map((l) => [l.name, ...l.addresses.map((a) => a.address)].join(" ")).join("\n"),
    }],
    ...(defaultUplink(survey) ? { carries: true as const } : {}),
  };
}

/** The device that may be it: by its default route, else by an address that is not the overlay's. */
function successor({ blueprint, survey }: CheckInput): { device: string; has: string } | undefined {
  const route = defaultUplink(survey) ?? defaultUplink(survey, "inet");
  if (route) {
    return { device: route.device!, has: `has the ${route.family === "inet6" ? "IPv6" : "IPv4"} default route` };
  }
  const ours = new Set([...blueprint.ways.map((w) => w.device), blueprint.translatorDevice, "lo"]);
  const other = survey.links.find((l) => !ours.has(l.name) && l.addresses.some((a) => a.scope === "global"));
  return other && {
    device: other.name,
    has: `has the address ${other.addresses.find((a) => a.scope === "global")!.address}`,
  };
}

/** A rule for the prefix that leads answers out by another device can be meant so, where crxn.yaml names no uplink. */
function answers(input: CheckInput): Problem[] {
  const faults = routeFaults(input);
  const { config, ways, translatorDevice } = input.blueprint;
  const inward = [...ways.map((w) => w.device), translatorDevice, "lo"];
  const meant = faults.some((f) =>
    f.leg.check === "uplink" && f.decided.type === "unicast" && f.decided.rule?.from !== undefined &&
    !isStandard(f.decided.rule) && !f.decided.devices.some((d) => inward.includes(d))
  );
  return routeProblems("uplink", input, faults).map((p) =>
    meant && config.uplink === undefined ? { ...p, verdict: "warn" as const } : p
  );
}
