import template from "../../assets/undo.sh" with { type: "text" };
import { assert, assertEquals } from "@std/assert";
import { fileItem, type Item } from "../../gateway/item.ts";
import { type Before, type Line, replay } from "../../gateway/journal.ts";
import { undoScript } from "../../gateway/undo_script.ts";
import { sha256Of } from "../../machine/download.ts";

// The functions of undo.sh, run by sh(1) in a folder of their own.

const at = "2026-11-27T00:00:00.000Z";
const did = (item: Item, before: Before = { file: null }): Line => ({ v: 1, did: { item, before }, at });
const FUNCTIONS = template.slice(template.indexOf("failed=0"), template.indexOf("\n{{lines}}"))
  .replace("rm -f -- {{state}}/reserve\n", "");

/** @param text shell; `"$d"` is the folder */
async function sh(folder: string, text: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-u", "-c", `d=$1; PATH=$d/bin:$PATH\n${FUNCTIONS}\n${text}\necho "failed=$failed"`, "sh", folder],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/bin`);
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const namesIn = (folder: string): string[] =>
  [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/edited-\d{8}T\d{6}/, "edited")).sort();

const sumOf = (text: string) => sha256Of(new TextEncoder().encode(text));

Deno.test("undo.sh: what a person has made of a file, and another node's key, stay beside it; what crxn wrote does not", async () => {
  await inFolder(async (folder) => {
    const [ours, theirs] = ["a".repeat(128), "b".repeat(128)];
    // On the next line, as HJSON allows.
    const key = (value: string) => `{\n  PrivateKey:\n    "${value}"\n}\n`;
    const both = `# was PrivateKey: ${ours}\n${key(theirs)}`;
    const texts = ["x", key(ours), key(theirs), both];
    const latin = new Uint8Array([0xef, 0xbb, 0xbf, 0xe4]);
    const before = { base64: btoa(String.fromCharCode(...latin)), mode: 0o644, uid: 0, gid: 0 };
    const sums = new Map(await Promise.all(texts.map(async (t) => [t, await sumOf(t)] as const)));
    sums.set(before.base64, await sha256Of(latin));
    const secret = (name: string, text: string) => ({ ...fileItem(`${folder}/${name}`, text), secret: true });
    const script = undoScript(
      replay([
        did(fileItem(`${folder}/same`, "x")),
        did(fileItem(`${folder}/edited`, "x")),
        did(fileItem(`${folder}/former`, "x"), { file: before }),
        did(secret("key", key(ours))),
        did(secret("other", key(ours))),
        // Written anew with the key that somebody has put into it since.
        did(secret("other", key(theirs))),
        did(secret("commented", key(ours))),
        did(secret("commented", both)),
      ]),
      at,
      sums,
    );
    const files = { same: "x", edited: "y", key: key(ours), other: key(theirs), commented: both };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
    }
    await Deno.writeFile(`${folder}/former`, latin);
    const calls = script.split("\n").filter((line) => /^keep(_key)? /.test(line));
    assertEquals(calls.length, 9);
    // Whoever looks at the processes sees no key.
    const watched = `grep() { printf '%s\\n' "$*" >>"$d/bin/argv"; command grep "$@"; }\n${calls.join("\n")}`;
    assertEquals(await sh(folder, watched), "failed=0\n");
    assertEquals(namesIn(folder).filter((name) => name.includes(".")), [
      "commented.edited",
      "edited.edited",
      "other.edited",
    ]);
    assert(!/[ab]{64}/.test(await Deno.readTextFile(`${folder}/bin/argv`)));
    const copy = [...Deno.readDirSync(folder)].find(({ name }) => name.startsWith("other."))!.name;
    const { mode } = await Deno.stat(`${folder}/${copy}`);
    assertEquals([await Deno.readTextFile(`${folder}/${copy}`), mode! & 0o777], [key(theirs), 0o600]);
  });
});

Deno.test("undo.sh: two edits of one time are two copies, the same once more is none", async () => {
  await inFolder(async (folder) => {
    const edit = (text: string) => `printf ${text} >"$d/f"; touch -d @1000000000 "$d/f"; keep "$d/f" 0`;
    assertEquals(await sh(folder, [edit("one"), edit("two"), edit("one"), edit("two")].join("\n")), "failed=0\n");
    assertEquals(namesIn(folder), ["bin", "f", "f.edited", "f.edited-2"]);
  });
});

Deno.test("undo.sh: a file of which no copy could be made stays", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/f`, "an hour's work");
    const said = await sh(
      folder,
      `cp() { : >"$4"; return 1; }\nkeep "$d/f" 0\nremove "$d/f"\nrestore "$d/f" 644 0 0 </dev/null`,
    );
    assert(said.includes("failed=1") && said.includes(`FAILED: keep ${folder}/f`), said);
    assertEquals([namesIn(folder), await Deno.readTextFile(`${folder}/f`)], [["bin", "f"], "an hour's work"]);
  });
});

Deno.test("undo.sh: nothing is put into a folder that stands in the place of a file", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/f`);
    const said = await sh(folder, `restore "$d/f" 644 $(id -u) $(id -g) </dev/null`);
    assert(said.includes("failed=1"), said);
    assertEquals([...Deno.readDirSync(`${folder}/f`)], []);
  });
});

Deno.test("undo.sh: a chain that nothing tells of may be there; iptables' own word counts, and no comment", async () => {
  const program = (folder: string, name: string, text: string) =>
    Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const call = "chain ip filter INPUT CRXN-INPUT; table ip filter; own_table inet crxn";
  const FULL =
    `printf '%s\\n' '*filter' ':CRXN-INPUT - [0:0]' '-A FORWARD -m comment --comment "incompatible MTU" -j DROP'`;
  await inFolder(async (folder) => {
    for (const name of ["iptables-save", "nft", "iptables"]) await program(folder, name, "exit 4");
    const said = await sh(folder, call);
    assert(said.includes("iptables-save gives no answer") && said.includes("nft gives no answer"), said);
    assert(said.includes("failed=1"), said);
  });
  await inFolder(async (folder) => {
    await program(folder, "iptables-save", FULL);
    await program(folder, "nft", "exit 0");
    // -D ends when there is none left.
    await program(folder, "iptables", `echo "$*" >>${folder}/bin/argv; case $* in *-D*) exit 1 ;; esac`);
    assertEquals(await sh(folder, "chain ip filter INPUT CRXN-INPUT"), "failed=0\n");
    assert((await Deno.readTextFile(`${folder}/bin/argv`)).includes("-X CRXN-INPUT"));
  });
  await inFolder(async (folder) => {
    await program(folder, "iptables-save", "echo \"# Table \\`filter' is incompatible, use 'nft' tool.\"");
    await program(folder, "nft", `echo "$*" >>${folder}/bin/argv; case $* in *delete*) exit 0 ;; esac`);
    // That there is one, so that the machine on which this runs need not have it: without, nft is asked in its place.
    await program(folder, "iptables", "exit 1");
    assertEquals(await sh(folder, "base ip filter INPUT; table ip filter"), "failed=0\n");
    assertEquals(namesIn(`${folder}/bin`), ["iptables", "iptables-save", "nft"]);
  });
});
