import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../commands/context.ts";
import { CrxnError, Exit } from "../../gateway/errors.ts";
import { changeableByOthers } from "../../machine/trust.ts";

// What root does by a file must not be for others to say.

const test = (name: string, fn: (file: string, folder: string) => Promise<void>) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      const file = `${folder}/crxn.yaml`;
      await Deno.writeTextFile(file, "address: 10.1.0.1/32\noverlay: {type: interface, interface: wg0}\n", {
        mode: 0o644,
      });
      try {
        await fn(file, folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });

test("loadConfig: root's own file is read, be others allowed to read it or not", async (file) => {
  assertEquals((await loadConfig(file)).config.address, "10.1.0.1/32");
  await Deno.chmod(file, 0o600);
  assertEquals((await loadConfig(file)).config.address, "10.1.0.1/32");
});

test("loadConfig: a file that others can write, own, or exchange is refused, and why", async (file, folder) => {
  const refused = async (words: string) => {
    const error = await assertRejects(() => loadConfig(file), CrxnError, words) as CrxnError;
    assertEquals(error.exit, Exit.config);
    assertStringIncludes(error.remedy!, "chmod go-w");
  };
  await Deno.chmod(file, 0o664);
  await refused("crxn.yaml can be written by others than root (mode 664)");
  await Deno.chmod(file, 0o644);
  await Deno.chown(file, 4711, 0);
  await refused("crxn.yaml belongs to user 4711");
  await Deno.chown(file, 0, 0);
  await Deno.chmod(folder, 0o777);
  await refused("can be written by others than root (mode 777)");
  // As /tmp is: there nobody removes what is not theirs.
  await Deno.chmod(folder, 0o1777);
  assertEquals(await changeableByOthers(file), undefined);
  await Deno.chmod(folder, 0o755);
  await Deno.chown(folder, 4711, 0);
  await refused("belongs to user 4711");
});

test("loadConfig: a folder above, and the folder that a link leads to, count as well", async (file, folder) => {
  await Deno.mkdir(`${folder}/theirs/ours`, { recursive: true });
  await Deno.rename(file, `${folder}/theirs/ours/crxn.yaml`);
  await Deno.symlink("theirs/ours/crxn.yaml", file);
  assertEquals(await changeableByOthers(`${folder}/theirs/ours/crxn.yaml`), undefined);
  await Deno.chown(`${folder}/theirs`, 4711, 0);
  for (const path of [file, `${folder}/theirs/ours/crxn.yaml`]) {
    assertStringIncludes((await changeableByOthers(path))!, "theirs belongs to user 4711");
  }
  await Deno.chown(`${folder}/theirs`, 0, 0);
  assertEquals(await changeableByOthers(file), undefined);
  // Of a link in a folder like /tmp its owner says where it leads.
  await new Deno.Command("chown", { args: ["-h", "4711", file] }).output();
  assertStringIncludes((await changeableByOthers(file))!, "crxn.yaml belongs to user 4711");
});

test("loadConfig: a link is as good as what it leads to", async (file, folder) => {
  await Deno.symlink(file, `${folder}/link.yaml`);
  assertEquals(await changeableByOthers(`${folder}/link.yaml`), undefined);
  await Deno.chmod(file, 0o666);
  assertStringIncludes((await changeableByOthers(`${folder}/link.yaml`))!, "mode 666");
});
