/** What holds for the fault matrix as a whole, and which faults a run makes. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CHECKS } from "../../checks/list.ts";
import { canMeet, chosen, pairsOf, SAMPLE } from "../doctor/choose.ts";
import type { Fault } from "../doctor/fault.ts";
import { HARMLESS } from "../doctor/faults/harmless.ts";
import { FAULTS } from "../doctor/list.ts";
import { missed, stale } from "../doctor/results.ts";

const DEBIANS = ["bookworm", "trixie"] as const;
const MISSED = new URL("../doctor/results/missed.json", import.meta.url);
const named = (name: string): Fault => FAULTS.find((fault) => fault.name === name)!;

Deno.test("FAULTS: at least 45, each with a name of its own", () => {
  assert(FAULTS.length >= 45);
  const names = [...FAULTS, ...HARMLESS].map(({ name }) => name);
  assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
  assertEquals(names.filter((name) => name.includes(",") && name.split(",").length > 3), []);
});

Deno.test("FAULTS: every check has one", () => {
  // The machines of the tests have the clock of their host, which is not to be changed.
  // Upkeep is none of what they have on: tests/machines/upkeep.test.ts breaks it.
  const without = new Set(["clock", "upkeep"]);
  assertEquals(CHECKS.filter(({ id }) => !without.has(id) && !FAULTS.some((f) => f.id === id)).map(({ id }) => id), []);
});

Deno.test("FAULTS: what is not mended can be undone, and who is to mend it is not the gateway", () => {
  assertEquals(FAULTS.filter(({ mended, undoes }) => !mended && undoes === undefined).map(({ name }) => name), []);
});

Deno.test("FAULTS: nine in ten of the gateway's own are mended by --fix", () => {
  const own = FAULTS.filter(({ owner }) => owner === "own");
  assert(own.length >= 30);
  assert(own.filter(({ mended }) => mended).length >= 0.9 * own.length);
});

Deno.test("the matrix: docs/doctor.md tells of no fault that is gone", () => {
  assertEquals(stale(), [], "CRXN_FAULTS=all UPDATE=1 deno task test:doctor");
});

Deno.test("the matrix: only what missed.json lists was not seen as it is declared", async () => {
  if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(MISSED, JSON.stringify(missed(), null, 2) + "\n");
  assertEquals(missed(), JSON.parse(await Deno.readTextFile(MISSED)));
});

Deno.test("chosen: a sample is the same for the same seed, and differs from Debian to Debian", () => {
  const [bookworm, trixie] = DEBIANS.map((debian) => chosen(FAULTS, debian, { seed: 7 }));
  assertEquals(chosen(FAULTS, "bookworm", { seed: 7 }), bookworm!);
  assertNotEquals(chosen(FAULTS, "bookworm", { seed: 8 }), bookworm!);
  assertEquals(bookworm!.filter((fault) => trixie!.includes(fault)), []);
  for (const scene of ["link", "yggdrasil"] as const) {
    assertEquals(bookworm!.filter((fault) => fault.scene === scene).length, SAMPLE[scene]);
  }
});

Deno.test("chosen: every fault comes up with some seed, on each Debian that has it", () => {
  for (const debian of DEBIANS) {
    const left = new Set(FAULTS.filter(({ only }) => only === undefined || only === debian));
    for (let seed = 1; seed <= 300; seed++) for (const fault of chosen(FAULTS, debian, { seed })) left.delete(fault);
    assertEquals([...left].map(({ name }) => name), []);
  }
});

Deno.test("chosen: all, or by a part of a name", () => {
  assertEquals(
    chosen(FAULTS, "trixie", { faults: "all", seed: 1 }),
    FAULTS.filter(({ only }) => only !== "bookworm"),
  );
  const some = chosen(FAULTS, "trixie", { faults: "tayga stopped, UFW", seed: 1 });
  assertEquals(some.map(({ name }) => name).sort(), ["tayga stopped", "ufw enabled"]);
});

Deno.test("canMeet: not where one takes away what the other is about, or excuses its check", () => {
  assert(canMeet(named("tayga disabled"), named("IPv4 forwarding off at run time")));
  for (
    const [a, b] of [
      ["tayga stopped", "tayga disabled"],
      ["tayga stopped", "tayga's config edited"],
      ["the far host is off", "rules.v4 edited"],
    ]
  ) assert(!canMeet(named(a!), named(b!)), `${a} and ${b}`);
});

Deno.test("pairsOf: five pairs for each Debian, of ten faults", () => {
  for (const debian of DEBIANS) {
    for (let seed = 1; seed < 50; seed++) {
      const pairs = pairsOf(FAULTS, debian, 5, seed);
      assertEquals(new Set(pairs.flat()).size, 10);
      assert(pairs.every(([a, b]) => canMeet(a, b)));
    }
  }
});
