/** Questions without an answer, and answers that make no sense: neither a fault of the gateway nor the end of the doctor. */

import { assert, assertEquals } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { nativeChains } from "../../gateway/netfilter/nft.ts";
import { parsePolicies } from "../../machine/ip_rules.ts";
import { parseRoutes, readRoutes } from "../../machine/ip.ts";
import { parseNft } from "../../machine/nft.ts";
import { readOverlay } from "../../machine/yggdrasil.ts";
import type { Runner } from "../../machine/run.ts";
import { dice } from "./dice.ts";
import { CONFIGS, healthy, type Setup } from "./surveys/builder.ts";

const faults = (input: CheckInput) =>
  runChecks(CHECKS, input).filter((f) => f.verdict === "fail" || f.verdict === "warn").map((f) =>
    `${f.id}: ${f.found}`
  );
const SETUPS = Object.keys(CONFIGS) as Setup[];

const SILENT: Record<string, (input: CheckInput) => void> = {
  units: ({ survey }) => void (survey.units = {}),
  routes: ({ survey }) => {
    survey.routes = [];
    survey.unknown.push("routes: ip route show failed");
  },
  "routes of IPv6": ({ survey }) => {
    survey.routes = survey.routes.filter((r) => r.family === "inet");
    survey.unknown.push("routes: ip route show failed");
  },
  links: ({ survey }) => void (survey.links = []),
  sysctls: ({ survey }) => void (survey.sysctls = {}),
  rules: ({ survey }) => void (survey.rules = {}),
  packages: ({ survey }) => void delete survey.packages,
  nftables: ({ survey }) => {
    delete survey.nftables;
    delete survey.native;
  },
  policies: ({ survey }) => void delete survey.policies,
  overlay: ({ survey }) => {
    delete survey.overlay;
    survey.unknown.push("overlay: yggdrasilctl cannot be run");
  },
  "the machine around it": (input) => void delete input.host,
};

for (const [question, change] of Object.entries(SILENT)) {
  Deno.test(`runChecks: no answer about ${question} is no fault`, async () => {
    for (const setup of SETUPS) {
      const input = structuredClone(await healthy(setup));
      change(input);
      assertEquals(faults(input), [], setup);
    }
  });
}

Deno.test("runChecks: routes that were read and are missing are a fault", async () => {
  const input = structuredClone(await healthy("interface"));
  input.survey.routes = [];
  assert(faults(input).some((f) => f.startsWith("prefix-route")));
});

Deno.test("runChecks: rules of iptables without matches or target are read like others", async () => {
  const odd: string[][] = [[], ["-j"], ["-p"], ["-m", "comment", "--comment"]];
  for (const setup of SETUPS) {
    const input = structuredClone(await healthy(setup));
    for (const family of ["inet", "inet6"] as const) {
      const filter = ((input.survey.rules[family] ??= {})["filter"] ??= {});
      for (const name of ["INPUT", "FORWARD"]) {
        const chain = (filter[name] ??= { name, rules: [] });
        Object.assign(chain, { policy: "DROP", rules: [...odd, ...chain.rules] });
      }
    }
    assert(faults(input).some((f) => f.includes("dropped by the policy")), setup);
  }
});

type Place = [Record<string, unknown>, string];
function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, v]): Place[] => [
    [value as Record<string, unknown>, key],
    ...placesIn(v),
  ]);
}

const ODD = [null, 0, -1, "", "x", [], {}, [null], { op: "==" }, { match: null }, true, { set: null }, { range: [1] }, [
  "a",
  ["b"],
]];

/** A document of JSON in which some values are others than anybody would think of. */
function spoil(text: string, random: (below: number) => number): string {
  const value = JSON.parse(text);
  const places = placesIn(value).filter(([, key]) => key !== "nftables");
  for (let n = 1 + random(12); n > 0; n--) {
    const [object, key] = places[random(places.length)]!;
    object[key] = structuredClone(ODD[random(ODD.length)]);
  }
  return JSON.stringify(value);
}

const recorded = (file: string) => Deno.readTextFileSync(new URL(`recorded/${file}`, import.meta.url));

const SPOILT: Record<string, [file: string, put: (input: CheckInput, text: string) => void]> = {
  "nftables, bookworm": ["firewalls/many-bookworm.nft.json", putNft],
  "nftables, trixie": ["firewalls/many-trixie.nft.json", putNft],
  routes: [
    "trixie/ip-route6-policy.json",
    ({ survey }, text) => survey.routes.push(...parseRoutes(text, "inet6")),
  ],
  policies: ["trixie/ip-rule4.json", ({ survey }, text) => void (survey.policies = parsePolicies(text, "inet"))],
};

function putNft({ survey }: CheckInput, text: string): void {
  const { tables, chains } = parseNft(text);
  const { nftables = [], native = [] } = survey;
  // Beside crxn's own.
  Object.assign(survey, { nftables: [...nftables, ...tables], native: [...native, ...nativeChains(chains, {}, [])] });
}

for (const [what, [file, put]] of Object.entries(SPOILT)) {
  Deno.test(`runChecks: gets over anything in place of anything, ${what}`, async () => {
    const random = dice(64);
    const input = await healthy("yggdrasil");
    for (let n = 0; n < 60; n++) {
      const text = spoil(recorded(file), random);
      const changed = structuredClone(input);
      try {
        put(changed, text);
        runChecks(CHECKS, changed);
      } catch (error) {
        throw new Error(`${text}`, { cause: error });
      }
    }
  });
}

Deno.test("parseNft: a statement that nft has no JSON for may match or not", async () => {
  const input = structuredClone(await healthy("interface"));
  const base = { family: "inet", table: "t", name: "c", type: "filter", hook: "forward", prio: 0, policy: "accept" };
  const rule = { family: "inet", table: "t", chain: "c", expr: ['osf name "Linux"', { drop: null }] };
  putNft(input, JSON.stringify({ nftables: [{ table: { family: "inet", name: "t" } }, { chain: base }, { rule }] }));
  assertEquals(input.survey.native!.at(-1)!.rules[0]!.expr, [{ unread: 'osf name "Linux"' }, { drop: null }]);
  assertEquals(faults(input), []);
});

const says = (code: number, stdout = ""): Runner => ({
  run: (argv) => Promise.resolve({ argv, code, stdout, stderr: "" }),
});

Deno.test("readRoutes, readOverlay: what cannot be asked is told from what is not there", async (t) => {
  const outcome = (promise: Promise<unknown>) => promise.then(JSON.stringify, (error: Error) => error.message);
  const cases: [string, Promise<unknown>, string | undefined][] = [
    ["routes in time", readRoutes(says(0, "[]"), "inet6"), "[]"],
    ["a kernel without the family", readRoutes(says(2), "inet6"), "[]"],
    ["ip hangs", readRoutes(says(124), "inet6"), "ip route show failed"],
    ["there is no ip", readRoutes(says(127), "inet6"), "ip route show failed"],
    ["the daemon does not answer", readOverlay(says(1)), undefined],
    ["there is no yggdrasilctl", readOverlay(says(127)), "yggdrasilctl cannot be run"],
  ];
  for (const [name, promise, want] of cases) await t.step(name, async () => assertEquals(await outcome(promise), want));
});
