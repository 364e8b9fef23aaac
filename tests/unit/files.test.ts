import { assert, assertEquals, assertRejects } from "@std/assert";
import { act } from "../../machine/apply.ts";
import { fromBase64, toBase64 } from "../../machine/base64.ts";
import {
  groupId,
  missingFolders,
  moveBack,
  readBefore,
  readSeen,
  removeIfEmpty,
  removeTree,
  writeAtomically,
} from "../../machine/files.ts";
import { placeFiles } from "../../machine/place.ts";
import { SystemRunner } from "../../machine/run.ts";

function test(name: string, fn: (root: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      const root = await Deno.makeTempDir();
      placeFiles(root);
      try {
        await fn(root);
      } finally {
        placeFiles("");
        await Deno.remove(root, { recursive: true });
      }
    },
  });
}

const info = (path: string) => {
  const { mode, uid, gid } = Deno.statSync(path);
  return { mode: (mode! & 0o7777).toString(8), uid, gid };
};

test("writeAtomically: content, mode and owner, and nothing is left beside it", async (root) => {
  await writeAtomically("/etc/x/secret.conf", "text", { mode: 0o640, gid: 7 });
  assertEquals(info(`${root}/etc/x/secret.conf`), { mode: "640", uid: 0, gid: 7 });
  assertEquals([...Deno.readDirSync(`${root}/etc/x`)].map((e) => e.name), ["secret.conf"]);
});

test("writeAtomically: a secret is never readable by others, not even for a moment", async (root) => {
  Deno.mkdirSync(`${root}/etc`);
  const watcher = Deno.watchFs(`${root}/etc`);
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { paths } of watcher) {
      for (const path of paths) {
        try {
          seen.push(info(path).mode);
        } catch {
          // Renamed by now.
        }
      }
    }
  })();
  for (let i = 0; i < 20; i++) await writeAtomically("/etc/secret", "key ".repeat(1000), { mode: 0o600 });
  watcher.close();
  await watching;
  assert(seen.length > 0);
  assertEquals(seen.filter((m) => m !== "600"), []);
});

test("writeAtomically: a leftover of a killed run, even a link to somewhere else, is not written through", async (root) => {
  Deno.mkdirSync(`${root}/etc`);
  Deno.writeTextFileSync(`${root}/victim`, "precious");
  Deno.symlinkSync(`${root}/victim`, `${root}/etc/x.crxn-new`);
  await writeAtomically("/etc/x", "new", { mode: 0o644 });
  assertEquals(Deno.readTextFileSync(`${root}/victim`), "precious");
  assertEquals(Deno.readTextFileSync(`${root}/etc/x`), "new");
});

test("readBefore, restore: byte for byte, with mode and owner", async (root) => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) % 256);
  Deno.writeFileSync(`${root}/bin`, bytes, { mode: 0o751 });
  Deno.chownSync(`${root}/bin`, 3, 9);
  Deno.chmodSync(`${root}/bin`, 0o4751);
  const before = (await readBefore("/bin"))!;
  await writeAtomically("/bin", "other", { mode: 0o600 });
  await act(new SystemRunner(), { do: "restore", path: "/bin", ...before });
  assertEquals(Deno.readFileSync(`${root}/bin`), bytes);
  assertEquals(info(`${root}/bin`), { mode: "4751", uid: 3, gid: 9 });
  assertEquals(await readBefore("/nothing"), null);
});

test("readSeen: null for what is not there, also below a file", async (root) => {
  Deno.writeTextFileSync(`${root}/file`, "x");
  assertEquals(await readSeen("/nothing/at/all"), null);
  assertEquals(await readSeen("/file/below"), null);
  assertEquals((await readSeen("/file"))?.content, "x");
});

test("missingFolders: outermost first", async (root) => {
  Deno.mkdirSync(`${root}/a`);
  assertEquals(await missingFolders("/a/b/c/file"), ["/a/b", "/a/b/c"]);
  assertEquals(await missingFolders("/a/file"), []);
});

test("removeIfEmpty, removeTree: a folder in use stays, what is gone is no error", async (root) => {
  Deno.mkdirSync(`${root}/a/b`, { recursive: true });
  await removeIfEmpty("/a");
  assert(Deno.statSync(`${root}/a/b`).isDirectory);
  await removeIfEmpty("/a/b");
  await removeIfEmpty("/a/b");
  await removeTree("/a");
  await removeTree("/a");
  assertEquals([...Deno.readDirSync(root)], []);
});

test("moveBack: a folder that a link leads to, also where a kill came between; what is no link stays", async (root) => {
  const [from, to] = ["/private/x", "/x"];
  const lay = async (link: boolean) => {
    await Deno.mkdir(`${root}${from}/in`, { recursive: true });
    await Deno.writeTextFile(`${root}${from}/in/list`, "clients");
    if (link) await Deno.symlink(`private/x`, root + to);
  };
  for (const link of [true, false]) {
    await lay(link);
    await moveBack(from, to);
    assertEquals(await Deno.readTextFile(`${root}${to}/in/list`), "clients");
    assertEquals((await Deno.lstat(root + to)).isDirectory, true);
    await moveBack(from, to);
    assertEquals(await Deno.readTextFile(`${root}${to}/in/list`), "clients", "nothing is there to be moved any more");
    await Deno.remove(root + to, { recursive: true });
  }
  await lay(false);
  await Deno.mkdir(root + to);
  await moveBack(from, to);
  assertEquals([...Deno.readDirSync(root + to)], [], "somebody's own");
});

test("groupId: by name, and an error for a group that is not there", async (root) => {
  Deno.mkdirSync(`${root}/etc`);
  Deno.writeTextFileSync(`${root}/etc/group`, "root:x:0:\nyggdrasil:x:997:me\n");
  assertEquals(await groupId("yggdrasil"), 997);
  await assertRejects(() => groupId("ygg"), Error, 'There is no group "ygg"');
});

Deno.test("toBase64, fromBase64: every byte, there and back", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  assertEquals(fromBase64(toBase64(bytes)), bytes);
  assertEquals(toBase64(new Uint8Array()), "");
});

test("readSeen: of what is no file there is no content, and nothing is waited for", async (root) => {
  await Deno.mkdir(`${root}/folder`);
  await new Deno.Command("/usr/bin/mkfifo", { args: [`${root}/pipe`] }).output();
  for (const path of ["/folder", "/pipe"]) {
    const seen = await readSeen(path);
    assert(seen !== null && seen.content === undefined, path);
  }
});
