/** Keeps what doctor saw on a machine, for tests without one: with CRXN_RECORD=DIRECTORY, normally tests/recorded/surveys. */

import { HOST } from "../machines/story.ts";
import { difference, type Json } from "../recorded/codec.ts";
import { installProgram } from "../rig/product.ts";
import type { Scene } from "./scene.ts";

const RECORDER = new URL("record_main.ts", import.meta.url).pathname;
const DIRECTORY = Deno.env.get("CRXN_RECORD");

/** The first healthy machine of each scene, from which the broken ones differ. */
const bases = new Map<string, { id: string; input: Json }>();

/** A healthy machine as a whole, once in a run. */
export async function recordHealthy(scene: Scene): Promise<void> {
  const name = nameOf(scene);
  if (DIRECTORY === undefined || DIRECTORY === "" || bases.has(name)) return;
  const base = { id: crypto.randomUUID().slice(0, 8), input: await seen(scene) };
  bases.set(name, base);
  await write(`healthy/${name}`, base);
}

/** A broken machine, as the difference to the healthy one. */
export async function recordBroken(scene: Scene, fault: string): Promise<void> {
  const base = bases.get(nameOf(scene));
  if (!base) return;
  const changes = difference(base.input, await seen(scene));
  await write(`broken/${slug(fault)}`, { fault, of: nameOf(scene), base: base.id, changes: changes as Json });
}

const nameOf = ({ name, debian }: Scene) => `${name}-${debian}`;
const slug = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");

async function seen({ gw }: Scene): Promise<Json> {
  const path = "/opt/doctor/record";
  await installProgram(gw, RECORDER, path, new URL("../..", import.meta.url).pathname.replace(/\/$/, ""));
  return shortened(JSON.parse(await gw.must([path, HOST])));
}

/** Of each unit's log only the end, which is all that the checks quote. */
function shortened(input: { host?: { log?: { unit: string }[] } }): Json {
  const { host } = input;
  if (host?.log) {
    const counts = new Map<string, number>();
    const last = host.log.toReversed().filter(({ unit }) => {
      counts.set(unit, (counts.get(unit) ?? 0) + 1);
      return counts.get(unit)! <= LINES;
    });
    host.log = last.reverse();
  }
  return input as Json;
}

/** Lines of a unit's log that are kept. */
const LINES = 12;

/** One line for each change, so that a new recording can be read as a diff. */
async function write(name: string, { input, changes, ...head }: Record<string, Json | undefined>): Promise<void> {
  const lines = (changes as Json[] | undefined)?.map((change) => JSON.stringify(change)) ??
    Object.entries(input as Record<string, Json>).map(([key, value]) =>
      `${JSON.stringify(key)}: ${JSON.stringify(value)}`
    );
  const [open, close] = changes ? ["[", "]"] : ["{", "}"];
  const top = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(", ");
  const body = `{${top}, "${changes ? "changes" : "input"}": ${open}\n${lines.join(",\n")}\n${close}}\n`;
  await Deno.mkdir(`${DIRECTORY}/${name.split("/")[0]}`, { recursive: true });
  await Deno.writeTextFile(`${DIRECTORY}/${name}.json`, body);
}
