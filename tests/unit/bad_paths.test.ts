/** Names that the system follows nowhere: links in a circle, and what is too long. No bugs of crxn's. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../commands/context.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { targetOf } from "../../machine/config_place.ts";
import { readBefore, readSeen } from "../../machine/files.ts";
import { placeFault, writeMetrics } from "../../machine/metrics_file.ts";
import { placeFiles } from "../../machine/place.ts";
import { crxn } from "./said.ts";

const CIRCLE = "too many levels of symbolic links";
const LONG = "file name too long";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.symlink("circle", `${folder}/circle`);
  try {
    await body(folder);
  } finally {
    placeFiles("");
    await Deno.remove(folder, { recursive: true });
  }
}

/** What the system says of each. */
const bad = (folder: string): [path: string, words: string][] => [
  [`${folder}/circle`, CIRCLE],
  [`${folder}/circle/x.yaml`, CIRCLE],
  [`${folder}/${"a".repeat(256)}`, LONG],
  [`${folder}/${"b/".repeat(2500)}x`, LONG],
];

Deno.test("a config by a name that leads nowhere is 78, with the system's words", () =>
  inFolder(async (folder) => {
    for (const [path, words] of bad(folder)) {
      const error = await assertRejects(() => loadConfig(path), CrxnError, words) as CrxnError;
      assertEquals([error.exit, error.remedy !== undefined], [78, true]);
    }
    const { code, err } = await crxn("address", "10.1.0.1", "--config", `${folder}/circle`);
    assertEquals(code, 78);
    assert(!/\n\s+at /.test(err), err);
  }));

Deno.test("crxn status: a config whose name is too long is said to be that, not to be missing", () =>
  inFolder(async (folder) => {
    // Not the host's: it may have a journal.
    placeFiles(folder);
    const { code, err } = await crxn("status", "--config", `/${"a".repeat(256)}`);
    assertEquals(code, 78);
    assertStringIncludes(err, LONG);
    assert(!/\n\s+at /.test(err), err);
  }));

Deno.test("crxn init: a place for a config that nobody gets to is 64, also for a name that has no room for its beginnings", () =>
  inFolder(async (folder) => {
    // A link itself is there, and no file.
    for (const [path, words] of [...bad(folder).slice(1), [`${folder}/${"a".repeat(250)}`, LONG]] as const) {
      const error = await assertRejects(() => targetOf(path), CrxnError, words) as CrxnError;
      assertEquals(error.exit, 64);
    }
    assertEquals((await assertRejects(() => targetOf(`${folder}/circle`), CrxnError) as CrxnError).exit, 64);
  }));

Deno.test("metrics: a file by such a name is 64, and nothing is written", () =>
  inFolder(async (folder) => {
    for (const [path, words] of [...bad(folder), [`${folder}/${"a".repeat(250)}`, LONG]] as const) {
      assertStringIncludes(await placeFault(path) ?? "", words);
      assertEquals((await assertRejects(() => writeMetrics(path, "x"), CrxnError, words) as CrxnError).exit, 64);
    }
    assertEquals([...Deno.readDirSync(folder)].map((e) => e.name), ["circle"]);
  }));

Deno.test("readSeen, readBefore: links in a circle are there, hold nothing, and can be put back", () =>
  inFolder(async (folder) => {
    assertEquals((await readSeen(`${folder}/circle`))?.content, undefined);
    assertEquals((await readBefore(`${folder}/circle`))?.link, "circle");
  }));
