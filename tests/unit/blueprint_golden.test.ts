import { assert, assertEquals } from "@std/assert";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { FACTS, GOLDEN } from "./golden_configs.ts";

const FOLDER = new URL("golden/", import.meta.url);
const UPDATE = Deno.env.get("UPDATE") === "1";

/** Every file that lands, by its path. */
async function rendered(name: string): Promise<Map<string, string>> {
  const { config, facts } = GOLDEN[name]!;
  const plan = blueprint(await parseConfig(config, "crxn.yaml"), { ...FACTS, ...facts });
  return new Map(plan.items.flatMap((i) => i.kind === "file" ? [[i.path, i.content] as const] : []));
}

async function kept(folder: URL, path = ""): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`.${path}/`, folder))).catch(() => []);
  const found = entries.map((e) => e.isDirectory ? kept(folder, `${path}/${e.name}`) : [`${path}/${e.name}`]);
  return (await Promise.all(found)).flat().sort();
}

for (const name of Object.keys(GOLDEN)) {
  Deno.test(`blueprint: ${name}: every file that lands, to the letter`, async () => {
    const folder = new URL(`${name}/`, FOLDER);
    const files = await rendered(name);
    if (UPDATE) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      for (const [path, text] of files) {
        const file = new URL(`.${path}`, folder);
        await Deno.mkdir(new URL(".", file), { recursive: true });
        await Deno.writeTextFile(file, text);
      }
    }
    assertEquals(await kept(folder), [...files.keys()].sort());
    for (const [path, text] of files) assertEquals(text, await Deno.readTextFile(new URL(`.${path}`, folder)), path);
  });
}

Deno.test("blueprint: no golden folder is left of a config that is gone", async () => {
  const folders = (await Array.fromAsync(Deno.readDir(FOLDER))).map((e) => e.name).sort();
  assertEquals(folders, Object.keys(GOLDEN).sort());
});

Deno.test("blueprint: every item has an id of its own, and every file a header", async () => {
  for (const [name, { config, facts }] of Object.entries(GOLDEN)) {
    const { items } = blueprint(await parseConfig(config, "crxn.yaml"), { ...FACTS, ...facts });
    assertEquals(new Set(items.map((i) => i.id)).size, items.length, name);
    for (const item of items) {
      if (item.kind !== "file") continue;
      // What a unit fills has no text of the blueprint's.
      if (item.filledBy) assertEquals(item.content, "");
      else assert(item.content.startsWith("# Made by crxn"), `${name}: ${item.path}`);
    }
  }
});
