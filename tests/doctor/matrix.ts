/** The matrix as tests: each fault is one, on machines that are booted once for all faults of their scene. */

import { assertEquals } from "@std/assert";
import type { Debian } from "../rig/images.ts";
import { chosen, harmlessOf, PAIRS, pairsOf, seedFrom } from "./choose.ts";
import type { Fault, SceneName } from "./fault.ts";
import { HARMLESS } from "./faults/harmless.ts";
import { FAULTS } from "./list.ts";
import { recordBroken, recordHealthy } from "./record.ts";
import { asDeclared, keep, missed } from "./results.ts";
import { open, type Opened, type Scene } from "./scene.ts";
import { overlook, suffer, sufferAll } from "./suffer.ts";

const SCENES: readonly SceneName[] = ["link", "advertised", "yggdrasil"];

/** Registers the tests of one Debian, as CRXN_FAULTS and CRXN_SEED have it. */
export function matrix(debian: Debian): void {
  const which = Deno.env.get("CRXN_FAULTS");
  const seed = seedFrom(Deno.env.get("CRXN_SEED"));
  const open = missed().filter((text) => text.startsWith(`${debian}: `)).map((text) => text.slice(debian.length + 2));
  const faults = chosen(FAULTS, debian, { faults: which, seed }, open);
  const named = which !== undefined && which !== "" && which !== "all";
  const pairs = named ? [] : pairsOf(
    which === "all" ? FAULTS : FAULTS.filter(({ name }) => !open.includes(name)),
    debian,
    which === "all" ? PAIRS.all : PAIRS.sample,
    seed,
  );
  const about = `faults on ${debian}: ${faults.length} of ${FAULTS.length} and ${pairs.length} pairs`;
  if (open.length > 0) console.log(`not seen as declared yet, so in no sample: ${open.join("; ")}`);
  console.log(named || which === "all" ? about : `${about}; CRXN_SEED=${seed} makes the same, CRXN_FAULTS=all all`);
  const harmless = harmlessOf(HARMLESS, debian, { faults: which, seed });
  for (const name of SCENES) {
    const here = faults.filter(({ scene }) => scene === name);
    const stage = new Stage(name, debian);
    for (const fault of here) stage.test(titleOf(fault), (scene) => make(scene, fault));
    if (name === "link") {
      for (const pair of pairs) {
        stage.test(`two at once: ${pair.map(titleOf).join("; ")}`, (scene) => sufferAll(scene, pair));
      }
    }
    for (const thing of harmless.filter(({ scene }) => scene === name)) {
      stage.test(`no fault: ${thing.name}`, (scene) => overlook(scene, thing));
    }
    stage.close();
  }
}

const titleOf = ({ name, id }: Fault) => `${name}: ${id}`;

async function make(scene: Scene, fault: Fault) {
  const suffered = await suffer(scene, fault, async (seen) => {
    if (asDeclared(fault, { ...seen, mended: fault.mended })) await recordBroken(scene, fault.name);
  });
  if (Deno.env.get("UPDATE") === "1") keep(scene.debian, suffered.seen);
  return suffered;
}

/** The machines of one scene: booted at its first test, anew when a fault could not be undone, gone after its last. */
class Stage {
  #scene: Opened | undefined;
  #tests = 0;

  constructor(readonly name: SceneName, readonly debian: Debian) {}

  test(name: string, body: (scene: Scene) => Promise<{ complaints: string[]; whole: boolean }>): void {
    this.#tests++;
    this.#register(`crxn doctor: ${name} (${this.name}, ${this.debian})`, async () => {
      const scene = this.#scene ??= await this.#open();
      let whole = false;
      try {
        const suffered = await body(scene);
        whole = suffered.whole;
        // Said at once: a run of all of them takes a while.
        if (suffered.complaints.length > 0) console.log(`\n${name}\n  ${suffered.complaints.join("\n  ")}`);
        assertEquals(suffered.complaints, []);
      } finally {
        if (!whole) await this.#leave();
      }
    });
  }

  /** To be called behind the last test. */
  close(): void {
    if (this.#tests > 0) {
      this.#register(`crxn doctor: the machines go (${this.name}, ${this.debian})`, () => this.#leave());
    }
  }

  async #open(): Promise<Opened> {
    const scene = await open(this.name, this.debian);
    await recordHealthy(scene);
    return scene;
  }

  async #leave(): Promise<void> {
    const scene = this.#scene;
    this.#scene = undefined;
    await scene?.[Symbol.asyncDispose]();
  }

  /** The machines outlive a test, and with them the processes that look after them. */
  #register(name: string, fn: () => Promise<void>): void {
    Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
  }
}
