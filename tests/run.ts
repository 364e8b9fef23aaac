/**
 * Runs suites of tests and counts them: `deno run -A tests/run.ts unit namespaces machines`.
 *
 * The last line is "N passed, N failed", with ", N skipped" when there are any. Exit code 1 when something failed, 64
 * for a suite that nobody knows.
 */

import { type Counts, countsOf, NONE, plus, totals } from "./counts.ts";
import { binary, ROOT, type Suite, SUITES } from "./suites.ts";

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

if (import.meta.main) Deno.exit(await main(Deno.args));
