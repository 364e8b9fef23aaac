import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { manPages } from "../../.ci/man.ts";
import { must, run } from "../rig/process.ts";

// The man pages, before the programs that show and judge them: groff, man-db (with the options of lintian), mandoc.

/** What each says of a page; nothing, of a good one. */
const JUDGES: Record<string, (file: string) => string[]> = {
  groff: (file) => ["groff", "-man", "-ww", "-Tutf8", "-z", file],
  man: (file) => ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file],
  mandoc: (file) => ["mandoc", "-Tlint", file],
};

async function judged(judge: string, file: string): Promise<string> {
  const env = { LC_ALL: "C.UTF-8", MANROFFSEQ: "", MANWIDTH: "80" };
  const { code, stdout, stderr } = await run(JUDGES[judge]!(file), { env });
  // What man typesets is not what it says; mandoc says it on stdout.
  const said = (judge === "mandoc" ? stdout + stderr : stderr).trim();
  return code === 0 && said === "" ? "" : said || `ended with ${code}`;
}

Deno.test("man pages: groff, man and mandoc have nothing to find fault with, and do of a bad one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pages = await manPages(1_700_000_000);
    for (const [name, text] of Object.entries(pages)) await Deno.writeTextFile(`${folder}/${name}`, text);
    const bad = pages["crxn.1"]!.replace(".SH DESCRIPTION", ".SH DESCRIPTION\n.nosuch macro\n\\fB\\[nosuch]");
    await Deno.writeTextFile(`${folder}/bad.1`, bad);
    for (const judge of Object.keys(JUDGES)) {
      for (const name of Object.keys(pages)) {
        assertEquals(await judged(judge, `${folder}/${name}`), "", `${judge}: ${name}`);
      }
      assert(await judged(judge, `${folder}/bad.1`) !== "", `${judge} finds nothing wrong with a bad page`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("man pages: as a reader sees them, and as whatis finds them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pages = await manPages(1_700_000_000);
    for (const name of ["crxn.1", "crxn-doctor.1", "crxn.yaml.5"]) {
      await Deno.writeTextFile(`${folder}/${name}`, pages[name]!);
    }
    const read = (name: string) =>
      must(["man", "-l", `${folder}/${name}`], { env: { LC_ALL: "C.UTF-8", MANWIDTH: "100", MANPAGER: "cat" } });
    const doctor = await read("crxn-doctor.1");
    assertMatch(doctor, /^CRXN-DOCTOR\(1\) .*CRXN-DOCTOR\(1\)$/m);
    assertMatch(doctor, /^ {7}--capture file\n/m);
    assertMatch(doctor, /^ {7}forward-policy\n/m);
    // Words that a reader copies: no typographic hyphen, no typographic quotation mark.
    assertStringIncludes(doctor, "crxn doctor --only forward-policy,nat-rule --json");
    assertStringIncludes(await read("crxn.yaml.5"), "overlay.routes[].via");
    assertMatch(doctor, /2023-11-14/);
    for (const name of ["crxn.1", "crxn-doctor.1", "crxn.yaml.5"]) {
      const title = name.replace(/\.\d$/, "");
      assertMatch(await must(["lexgrog", `${folder}/${name}`]), new RegExp(`"${title} - .+"`));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
