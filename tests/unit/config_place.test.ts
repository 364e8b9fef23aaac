/** Where `crxn init` writes: whole or not at all, never over somebody's config, never where others could exchange it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { modeOf, place, targetOf } from "../../machine/config_place.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { placeFiles } from "../../machine/place.ts";

const mode = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o7777;
const names = (folder: string) => [...Deno.readDirSync(folder)].map((e) => e.name).sort();
const root = Deno.uid() === 0;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const exitOf = async (promise: Promise<unknown>): Promise<number> =>
  (await assertRejects(() => promise, CrxnError) as CrxnError).exit;

Deno.test({
  name: "crxn init: a new config has its mode, and its folders are 0755 whatever the umask",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      const file = `${folder}/etc/crxn/crxn.yaml`;
      const before = Deno.umask(0o077);
      try {
        assertEquals(await place(await targetOf(file), "address: x\n", 0o644), undefined);
      } finally {
        Deno.umask(before);
      }
      assertEquals(await Deno.readTextFile(file), "address: x\n");
      assertEquals([mode(file), mode(`${folder}/etc/crxn`), mode(`${folder}/etc`)], [0o644, 0o755, 0o755]);
      assertEquals(names(`${folder}/etc/crxn`), ["crxn.yaml"]);
    }),
});

Deno.test({
  name: "crxn init: what was there is kept beside it, each time under a name of its own",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      const file = `${folder}/crxn.yaml`;
      await Deno.writeTextFile(file, "first\n", { mode: 0o600 });
      assertEquals(await place(await targetOf(file), "second\n", 0o600), `${file}~`);
      assertEquals(await place(await targetOf(file), "third\n", 0o600), `${file}.~1~`);
      assertEquals(names(folder), ["crxn.yaml", "crxn.yaml.~1~", "crxn.yaml~"]);
      assertEquals([await Deno.readTextFile(`${file}~`), mode(`${file}~`)], ["first\n", 0o600]);
      assertEquals(await Deno.readTextFile(`${file}.~1~`), "second\n");
    }),
});

Deno.test({
  name: "crxn init: a link is followed, and stays one",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/real.yaml`, "old\n");
      await Deno.symlink(`${folder}/real.yaml`, `${folder}/crxn.yaml`);
      await place(await targetOf(`${folder}/crxn.yaml`), "new\n", 0o644);
      assertEquals(await Deno.readTextFile(`${folder}/real.yaml`), "new\n");
      assertEquals(Deno.lstatSync(`${folder}/crxn.yaml`).isSymlink, true);
    }),
});

Deno.test({
  name: "crxn init: a link that leads nowhere yet stays one, and what it names is made, its folders too",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/etc`);
      await Deno.symlink("../srv/crxn/real.yaml", `${folder}/etc/crxn.yaml`);
      const target = await targetOf(`${folder}/etc/crxn.yaml`);
      assertEquals(target, { path: `${folder}/srv/crxn/real.yaml` });
      assertEquals(names(folder), ["etc"], "looking changes nothing");
      await place(target, "new\n", 0o644);
      assertEquals(await Deno.readTextFile(`${folder}/srv/crxn/real.yaml`), "new\n");
      assertEquals(Deno.lstatSync(`${folder}/etc/crxn.yaml`).isSymlink, true);
      await Deno.symlink(`${folder}/later`, `${folder}/folder`);
      assertEquals((await targetOf(`${folder}/folder/crxn.yaml`)).path, `${folder}/later/crxn.yaml`);
    }),
});

Deno.test({
  name: "crxn init: where somebody else's link leads to a config of root's, crxn would not read it: nothing is written",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/ours`);
      await Deno.writeTextFile(`${folder}/ours/real.yaml`, "of root\n", { mode: 0o644 });
      const link = async (to: string, name: string) => {
        await Deno.symlink(to, `${folder}/${name}`);
        // Deno.chown follows links.
        const { success } = await new Deno.Command("chown", { args: ["-h", "65534", `${folder}/${name}`] }).output();
        assert(success, "chown -h");
      };
      await link(`${folder}/ours/real.yaml`, "file.yaml");
      await link(`${folder}/ours`, "folder");
      await link(`${folder}/ours/new.yaml`, "dangling.yaml");
      for (const name of ["file.yaml", "folder/real.yaml", "folder/new.yaml", "dangling.yaml"]) {
        assertEquals(await exitOf(targetOf(`${folder}/${name}`)), 78, name);
      }
      assertEquals(names(`${folder}/ours`), ["real.yaml"]);
    }),
});

Deno.test({
  name: "crxn init: the machine's files may be in a folder, as in tests",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      placeFiles(folder);
      try {
        await Deno.mkdir(`${folder}/etc`);
        assertEquals(await place(await targetOf("/etc/crxn/crxn.yaml"), "first\n", 0o644), undefined);
        assertEquals(await place(await targetOf("/etc/crxn/crxn.yaml"), "second\n", 0o644), "/etc/crxn/crxn.yaml~");
      } finally {
        placeFiles("");
      }
      assertEquals(names(`${folder}/etc/crxn`), ["crxn.yaml", "crxn.yaml~"]);
      assertEquals(await Deno.readTextFile(`${folder}/etc/crxn/crxn.yaml~`), "first\n");
    }),
});

Deno.test({
  name: "crxn init: a config that came or changed in the meantime is not touched",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      const file = `${folder}/crxn.yaml`;
      const target = await targetOf(file);
      await Deno.writeTextFile(file, "of a colleague\n");
      assertEquals(await exitOf(place(target, "mine\n", 0o644)), 1);
      const later = await targetOf(file);
      await Deno.writeTextFile(file, "changed\n");
      assertEquals(await exitOf(place(later, "mine\n", 0o644)), 1);
      assertEquals([await Deno.readTextFile(file), names(folder)], ["changed\n", ["crxn.yaml"]]);
    }),
});

Deno.test({
  name: "crxn init: no place for a config: a folder, /proc, a part of the path that is a file, somebody else's folder",
  ignore: !root,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "");
      for (const path of [folder, `${folder}/file/x.yaml`, "/dev/null", "/proc/self/environ", "/dev/stdin"]) {
        assertEquals(await exitOf(targetOf(path)), 64, path);
      }
      await Deno.symlink("loop", `${folder}/loop`);
      const [long, file] = ["x".repeat(300), `${folder}/file`];
      for (
        const path of [`${folder}/new/`, `${folder}/.`, `${file}/`, `${file}/..`, `${folder}/${long}`, `${folder}/loop`]
      ) {
        assertEquals(await exitOf(targetOf(path)), 64, path);
      }
      await Deno.mkdir(`${folder}/theirs`);
      await Deno.chown(`${folder}/theirs`, 65534, 65534);
      assertEquals(await exitOf(targetOf(`${folder}/theirs/crxn.yaml`)), 78);
      assertEquals(await exitOf(targetOf(`${folder}/theirs/deeper/crxn.yaml`)), 78);
      await Deno.mkdir(`${folder}/open`);
      await Deno.chmod(`${folder}/open`, 0o777);
      assertEquals(await exitOf(targetOf(`${folder}/open/crxn.yaml`)), 78);
      assertEquals(names(`${folder}/theirs`), []);
    }),
});

Deno.test("crxn init: a config with a password is its owner's, and none is more open than before", () => {
  const before = (mode: number) => ({ before: { content: "", mode } });
  assertEquals([modeOf(false, {}), modeOf(true, {})], [0o644, 0o600]);
  assertEquals([modeOf(false, before(0o600)), modeOf(false, before(0o640)), modeOf(true, before(0o644))], [
    0o600,
    0o640,
    0o600,
  ]);
});
