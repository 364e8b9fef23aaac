/** The checks, put to what doctor saw on real machines (`CRXN_RECORD=tests/recorded/surveys deno task test:doctor`). */

import { assert, assertEquals } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { runChecks } from "../../checks/run.ts";
import { FAULTS } from "../doctor/list.ts";
import { type Change, decode, difference, hasSecret, type Json, patched } from "../recorded/codec.ts";

const FOLDER = new URL("../recorded/surveys/", import.meta.url);

function listed(folder: string): string[] {
  try {
    return [...Deno.readDirSync(new URL(folder, FOLDER))].map(({ name }) => name).filter((n) => n.endsWith(".json"))
      .sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
const read = (path: string) => JSON.parse(Deno.readTextFileSync(new URL(path, FOLDER)));

/** Findings of that verdict; a probe that fails beside another check only feels it. */
function told(input: Json, verdict: "fail" | "warn"): string[] {
  const findings = runChecks(CHECKS, decode(input)).filter((finding) => finding.verdict === verdict);
  return findings.map(({ id }) => id).filter((id) => id !== "probe" || findings.length === 1).toSorted();
}

for (const name of listed("healthy")) {
  Deno.test(`runChecks: finds nothing on the recorded machine ${name}`, () => {
    const { input } = read(`healthy/${name}`) as { input: Json };
    assertEquals([...told(input, "fail"), ...told(input, "warn")], []);
  });
}

for (const name of listed("broken")) {
  const { fault: title, of, base, changes } = read(`broken/${name}`) as {
    fault: string;
    of: string;
    base: string;
    changes: Change[];
  };
  Deno.test(`runChecks: names what is broken on the recorded machine: ${title}`, () => {
    const fault = FAULTS.find((f) => f.name === title);
    assert(fault, `the matrix has no such fault any more: remove broken/${name}`);
    const healthy = read(`healthy/${of}.json`) as { id: string; input: Json };
    assertEquals(base, healthy.id, `broken/${name} and healthy/${of}.json are of two runs: record both anew`);
    const input = patched(healthy.input, changes);
    assertEquals(told(input, "fail"), fault.verdict === "warn" ? [] : [fault.id, ...fault.also ?? []].toSorted());
    if (fault.verdict === "warn") assert(told(input, "warn").includes(fault.id));
  });
}

Deno.test("recorded surveys: have no private key in them", () => {
  const files = ["healthy", "broken"].flatMap((folder) => listed(folder).map((name) => `${folder}/${name}`));
  assertEquals(files.filter((path) => hasSecret(Deno.readTextFileSync(new URL(path, FOLDER)))), []);
  assert(hasSecret(`PrivateKey: ${"ab".repeat(64)}`));
});

Deno.test("difference and patched: are each other's inverse", () => {
  const [before, after] = [{ a: 1, b: { c: [1, 2], d: "x" }, gone: { e: null } }, {
    a: 1,
    b: { c: [2], f: {} },
    new: [],
  }];
  assertEquals(patched(before, difference(before, after)), after);
  assertEquals(difference(before, before), []);
});
