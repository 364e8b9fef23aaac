/**
 * Runs suites of tests and counts them: `deno run -A tests/run.ts unit namespaces machines`.
 *
 * The last line is "N passed, N failed", with ", N skipped" when there are any. Exit code 1 when something failed, 64
 * for a suite that nobody knows.
 */

import { TOOLS } from "./attack/tools.ts";
import { LOAD_REQUIREMENTS } from "./bench/load.ts";
import { report } from "./bench/report.ts";
import { PACKAGE_TOOLS } from "./package/tools.ts";
import {
  canBoot,
  canVirtualize,
  ensureRequirements,
  GO_REMEDY,
  goObstacle,
  REQUIREMENTS,
  VM_REQUIREMENTS,
} from "./rig/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** How many tests did what, out of what `deno test --junit-path` wrote. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Steps inside the tests; not part of the other numbers, but for skipped ones. */
  steps: number;
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0, steps: 0 };

const plus = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  steps: a.steps + b.steps,
});

/** Why a suite cannot run on this host, and what to do about it. */
interface Obstacle {
  reason: string;
  remedy: string;
}

/** A kind of tests, by what they need. */
interface Suite {
  /** What it runs, for whoever reads the output. */
  says: string;
  /** Files and directories below the repository; none: nobody has written it yet. */
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

const SUITES: Readonly<Record<string, Suite>> = {
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
    alone: ["tests/machines/rig.test.ts", "tests/rig/"],
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
    prepare: async () => {
      await ensureRequirements([...REQUIREMENTS, ...LOAD_REQUIREMENTS]);
      if (!binary()) Deno.env.set("CRXN_BIN", await built());
    },
  },
};

/** The binary under test, if not the sources are. */
const binary = (): string | undefined => Deno.env.get("CRXN_BIN") || undefined;

/** For tests of what only the binary has. Those are skipped without it, and say so; what is measured is nothing but the binary. */
function withBinary(requirements = REQUIREMENTS): () => Promise<void> {
  return async () => {
    await ensureRequirements(requirements);
    try {
      if (!binary()) Deno.env.set("CRXN_BIN", await built());
    } catch (error) {
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

async function main(names: string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(SUITES, name));
  if (names.length === 0 || unknown.length > 0) {
    console.error(`${unknown.length > 0 ? `No suite is called ${unknown.join(", ")}. ` : ""}Suites:`);
    for (const [name, { says }] of Object.entries(SUITES)) console.error(`  ${name.padEnd(12)}${says}`);
    return 64;
  }
  const lines: string[] = [];
  let all = NONE;
  for (const name of names) {
    const started = performance.now();
    const { counts, note } = await runSuite(name, SUITES[name]!);
    all = plus(all, counts);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const line = `${name.padEnd(12)}${note ?? `${totals(counts)} (${counts.steps} steps, ${seconds} s)`}`;
    console.log(`\n${line}`);
    lines.push(line);
  }
  console.log(["", ...lines, totals(all)].join("\n"));
  return all.failed > 0 ? 1 : 0;
}

async function runSuite(name: string, suite: Suite): Promise<{ counts: Counts; note?: string }> {
  console.log(`\n=== ${name}: ${suite.says}`);
  if (suite.paths.length === 0) return { counts: NONE, note: "NO TESTS YET: nothing was run and nothing is counted" };
  const obstacle = await suite.obstacle?.();
  if (obstacle) {
    const note = `CANNOT RUN HERE, counted as 1 skipped: ${obstacle.reason}. Remedy: ${obstacle.remedy}.`;
    return { counts: { ...NONE, skipped: 1 }, note };
  }
  try {
    await suite.prepare?.();
    if (suite.product) console.log(`the crxn under test: ${binary() ?? `the sources in ${ROOT}`}`);
  } catch (error) {
    // It could have run here, and did not: that is no skip.
    return { counts: { ...NONE, failed: 1 }, note: `FAILED before its first test: ${error}` };
  }
  const { paths, alone = [], parallel = 1, env = () => ({}) } = suite;
  const together = await runFiles(name, paths, { parallel, without: alone, env: env() });
  const counts = alone.length === 0 ? together : plus(together, await runFiles(name, alone));
  await suite.after?.();
  return { counts };
}

/** Runs files with this Deno; what they print goes straight to the terminal. */
async function runFiles(
  name: string,
  paths: readonly string[],
  { parallel = 1, without = [], env = {} }: {
    parallel?: number;
    without?: readonly string[];
    env?: Record<string, string>;
  } = {},
): Promise<Counts> {
  const directory = await Deno.makeTempDir();
  const junit = `${directory}/results.xml`;
  try {
    const args = [
      ...["test", "-A", `--junit-path=${junit}`],
      ...(parallel > 1 ? ["--parallel"] : []),
      ...without.map((path) => `--ignore=${ROOT}${path}`),
      ...paths.map((path) => ROOT + path),
    ];
    const { code } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      env: { ...env, DENO_JOBS: String(parallel) },
    }).spawn().status;
    const counts = countsOf(await Deno.readTextFile(junit).catch(() => ""));
    const found = counts.passed + counts.failed + counts.skipped > 0;
    if (counts.failed > 0 || (code === 0 && found)) return counts;
    // A file that does not compile, or an error outside of every test, has no test case to be counted by.
    console.log(`\n${name}: deno test ended with ${code}${found ? "" : " and ran no test"}: counted as one failure`);
    return plus(counts, { ...NONE, failed: 1 });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** "3 passed, 0 failed", and ", 1 skipped" when there are any. */
const totals = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/**
 * Counts the tests of a JUnit file. Deno lists steps as test cases of their own, named "TEST > STEP", below the file
 * that the step stands in: a failing step fails its test, so only skipped ones count, lest a skip hide in a pass.
 */
function countsOf(xml: string): Counts {
  const counts = { ...NONE };
  const found = [...xml.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)];
  const cases = found.map(([, name, body]) => ({ name: name!, body: body ?? "" }));
  for (const { name, body } of cases) {
    const skipped = body.includes("<skipped");
    const step = cases.some((other) => name.startsWith(`${other.name} &gt; `));
    if (step) counts.steps++;
    if (skipped) counts.skipped++;
    else if (!step) counts[/<(failure|error)\b/.test(body) ? "failed" : "passed"]++;
  }
  return counts;
}

async function hindrance(asked: () => Promise<string | undefined>): Promise<Obstacle | undefined> {
  const reason = await asked();
  return reason === undefined ? undefined : { reason, remedy: remedyFor(reason) };
}

function buildObstacle(): Obstacle | undefined {
  const reason = goObstacle();
  return reason === undefined ? undefined : { reason, remedy: GO_REMEDY };
}

function rehearsalObstacle(): Obstacle | undefined {
  const reason = Deno.build.os !== "linux"
    ? "not Linux"
    : Deno.uid() !== 0
    ? "not root"
    : !exists("/etc/debian_version")
    ? "not Debian"
    : !exists("/dev/net/tun")
    ? "no /dev/net/tun"
    : undefined;
  return reason === undefined ? undefined : { reason, remedy: remedyFor(reason) };
}

function remedyFor(reason: string): string {
  if (reason === "not root") return "run it as root (sudo)";
  if (reason === "no /dev/net/tun") return "modprobe tun; in a container, pass the device in";
  if (reason.includes("MiB of memory")) return "free some memory, or run it on a machine with more";
  if (reason.includes("processor")) return "run it on an x86_64 machine";
  return "run it as root on a Debian 12 or newer with cgroup2, overlayfs and namespaces";
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
