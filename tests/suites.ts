/** The suites: which files belong to each, and what it needs. */

import { TOOLS } from "./attack/tools.ts";
import { LOAD_REQUIREMENTS } from "./bench/load.ts";
import { report } from "./bench/report.ts";
import { buildObstacle, hindrance, type Obstacle, rehearsalObstacle } from "./obstacles.ts";
import { PACKAGE_TOOLS } from "./package/tools.ts";
import { canBoot, canVirtualize, ensureRequirements, REQUIREMENTS, VM_REQUIREMENTS } from "./rig/mod.ts";

export const ROOT = new URL("..", import.meta.url).pathname;

/** A kind of tests, by what they need. */
export interface Suite {
  /** What it runs, for whoever reads the output. */
  says: string;
  /** Files and directories below the repository. */
  paths: readonly string[];
  /** How many files run at a time; default 1. */
  parallel?: number;
  /** Files and directories that run after the others and by themselves. */
  alone?: readonly string[];
  /** Whether it tests a product that is compiled or made of the sources. */
  product?: boolean;
  obstacle?: () => Promise<Obstacle | undefined>;
  /** Brings what the host lacks. */
  prepare?: () => Promise<void>;
  /** Variables for the tests. */
  env?: () => Record<string, string>;
  /** What is made of the results. */
  after?: () => Promise<void>;
}

export const SUITES: Readonly<Record<string, Suite>> = {
  unit: { says: "functions, without root and without a machine", paths: ["tests/unit/"], parallel: 2 },
  walks: {
    says: "up and down on a machine of the imagination, killed and failing at each of their commands, and at random",
    paths: ["tests/walks/"],
    parallel: 2,
  },
  namespaces: {
    says: "`crxn rehearse`, and what follows a link, in throw-away network namespaces of this host",
    paths: ["tests/namespaces/"],
    obstacle: () => Promise.resolve(rehearsalObstacle()),
  },
  machines: {
    says:
      "crxn on booted Debians, long stories on 12 or 13, CRXN_FAULTS=all on both (first it makes images: 30 s each)",
    paths: ["tests/machines/"],
    // Most of the time a machine waits for itself. The rig's own tests change this process's environment.
    parallel: 2,
    // And what packets a change costs is counted where no other machine is at work.
    alone: ["tests/machines/rig.test.ts", "tests/machines/workers.test.ts", "tests/rig/"],
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: () => ensureRequirements(),
  },
  sources: {
    says: "the story of a gateway over an existing interface once more, for a crxn that runs from the sources",
    paths: ["tests/machines/interface_gateway.test.ts"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: () => ensureRequirements(),
  },
  tunnels: {
    says: "tunnels between yggdrasil nodes, all kinds (at the first run it builds daemons with Go: two minutes)",
    paths: ["tests/tunnels/"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot) ?? buildObstacle(),
    prepare: () => ensureRequirements(),
  },
  docs: {
    says: "what README and docs show, typed on booted machines",
    paths: ["tests/docs/"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: withBinary(),
  },
  fuzz: {
    says: "whatever a config, a program's answer or the journal says; CRXN_SEED",
    paths: ["tests/fuzz/"],
    parallel: 2,
  },
  package: {
    says: "man pages, completions, scripts and the Debian package, before the programs that read them",
    paths: ["tests/package/"],
    parallel: 2,
    product: true,
    prepare: withBinary(PACKAGE_TOOLS),
  },
  attack: {
    says: "a gateway on a booted Debian is scanned, lied to and flooded, with tools of Debian's; CRXN_FAULTS=all: both",
    paths: ["tests/attack/"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: () => ensureRequirements([...REQUIREMENTS, ...TOOLS]),
  },
  doctor: {
    says: "`crxn doctor` and faults on booted Debians: a sample of them; CRXN_FAULTS=all or a name, CRXN_SEED",
    paths: ["tests/doctor/"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: () => ensureRequirements(),
    // One seed for both Debians: between them they share the faults out.
    env: () => ({ CRXN_SEED: Deno.env.get("CRXN_SEED") ?? String(crypto.getRandomValues(new Uint32Array(1))[0]) }),
  },
  kill: {
    says: "crxn killed, interrupted, and on a full disk: a sample of all moments; CRXN_FAULTS=all, CRXN_SEED",
    paths: ["tests/kill/"],
    parallel: 2,
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: () => ensureRequirements(),
  },
  vm: {
    says: "crxn on virtual machines with Debian's cloud kernel, which has ip6gre (at the first run it makes images)",
    paths: ["tests/vm/"],
    product: true,
    obstacle: async () => await hindrance(canVirtualize),
    prepare: withBinary([...REQUIREMENTS, ...VM_REQUIREMENTS]),
  },
  bench: {
    says: "speed of commands and wire, against what is done by hand; writes docs/performance.md; CRXN_PAIRS",
    after: report,
    paths: ["tests/bench/"],
    product: true,
    obstacle: async () => await hindrance(canBoot),
    prepare: withBinary([...REQUIREMENTS, ...LOAD_REQUIREMENTS], true),
  },
};

/** The binary under test, if not the sources are. */
export const binary = (): string | undefined => Deno.env.get("CRXN_BIN") || undefined;

/**
 * Builds the binary where none is named. Tests of what only a binary has are skipped without one, and say so.
 * @param indispensable where it is all that is tested
 */
function withBinary(requirements = REQUIREMENTS, indispensable = false): () => Promise<void> {
  return async () => {
    await ensureRequirements(requirements);
    try {
      if (!binary()) Deno.env.set("CRXN_BIN", await built());
    } catch (error) {
      if (indispensable) throw error;
      console.log(`${error instanceof Error ? error.message : error}: tests that need it are skipped`);
    }
  };
}

async function built(): Promise<string> {
  console.log("building dist/crxn");
  const args = ["run", "-A", `${ROOT}.ci/build.ts`];
  const { code } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).spawn().status;
  if (code !== 0) throw new Error("the binary cannot be built; CRXN_BIN names one that is there");
  return `${ROOT}dist/crxn`;
}
