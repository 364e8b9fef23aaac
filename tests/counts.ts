/** How many tests did what, by the report that `deno test --junit-path` writes. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Steps inside the tests; not part of the other numbers, but for skipped ones. */
  steps: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0, steps: 0 };

export const plus = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  steps: a.steps + b.steps,
});

/** "3 passed, 0 failed", and ", 1 skipped" when there are any. */
export const totals = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/**
 * Counts the tests of a JUnit file. Deno lists steps as test cases of their own, named "TEST > STEP", below the file
 * that the step stands in: a failing step fails its test, so only skipped ones count, lest a skip hide in a pass.
 */
export function countsOf(xml: string): Counts {
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
