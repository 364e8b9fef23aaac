import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMPLETIONS } from "../../.ci/deb.ts";
import { CHECKS } from "../../checks/list.ts";
import { outlineOf } from "../../commands/outline.ts";
import { commandLine } from "../../commands/program.ts";
import { must, run } from "../rig/process.ts";
import { installed, LOOKS, offeredByBash, offeredByFish, typed } from "./shells.ts";

// The completions, in the shells that they are for.

const { commands } = outlineOf(await commandLine());
const names = commands.map(({ name }) => name);
const long = (name: string) => commands.find((c) => c.name === name)!.options.map((o) => o.long);
const ids = CHECKS.map(({ id }) => id);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/gate way.yaml`, "");
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const shell of ["bash", "zsh"] as const) {
  Deno.test(`${shell}: the tabulator key completes commands, options, checks and files`, () =>
    inFolder(async (folder) => {
      const cases: [string, string][] = [
        ["crxn dow\t", "<down>"],
        ["crxn up --dr\t", "<up><--dry-run>"],
        ["crxn doctor --explain forward-p\t", "<doctor><--explain><forward-policy>"],
        ["crxn doctor --only nat-r\t", "<doctor><--only><nat-rule>"],
        ["crxn doctor --only nat-rule,mss\t", "<doctor><--only><nat-rule,mss-clamp>"],
        ["crxn status --config gate\t", "<status><--config><gate way.yaml>"],
        ["crxn status --config=gate\t", "<status><--config=gate way.yaml>"],
        ["crxn completions fi\t", "<completions><fish>"],
        ["crxn help doc\t", "<help><doctor>"],
        ["crxn --vers\t", "<--version>"],
        // Behind a value that a shell cannot know, or a command whose arguments are such, options are completed as ever.
        ["crxn address --pre\t", "<address><--prefix>"],
        ["crxn up --confirm --dr\t", "<up><--confirm><--dry-run>"],
        ["crxn init --peer tls://a:1 --pee\t", "<init><--peer><tls://a:1><--peer>"],
        ["crxn init --uplink l\t", "<init><--uplink><lo>"],
        // Controls: what is not there is not completed.
        ["crxn xyz\t", "<xyz>"],
        ["crxn up --explai\t", "<up><--explai>"],
        ["crxn doctor --explain nosuch\t", "<doctor><--explain><nosuch>"],
      ];
      const shown = await typed(shell, folder, [
        ...cases.map(([line]) => line),
        "crxn \t\t",
        "crxn doctor --explain \t\t",
      ]);
      for (const [i, [line, want]] of cases.entries()) {
        const ran = /^(?:<.*>)+$/m.exec(shown[i]!)?.[0];
        assertEquals(ran, want, `${JSON.stringify(line)} showed ${shown[i]}`);
      }
      for (const name of names) assertStringIncludes(shown.at(-2)!, name);
      for (const id of ids) assertStringIncludes(shown.at(-1)!, id);
    }));
}

const sorted = (words: string[]) => [...words].sort();

Deno.test("bash: every option of every command is offered, and nothing else", () =>
  inFolder(async (folder) => {
    assertEquals(sorted(await offeredByBash(folder, ["crxn", ""])), sorted([...names, "help"]));
    for (const name of names) {
      assertEquals(sorted(await offeredByBash(folder, ["crxn", name, "--"])), sorted(long(name)), name);
    }
    assertEquals(await offeredByBash(folder, ["crxn", "doctor", "--skip", "=", "prob"]), ["probe"]);
    assertEquals(await offeredByBash(folder, ["crxn", "doctor", "--target", ""]), []);
    assertEquals(await offeredByBash(folder, ["crxn", "nothing", "-"]), []);
    assert(!(await offeredByBash(folder, ["crxn", "doctor", "--only", "probe,"])).includes("probe,probe"));
  }));

Deno.test("fish: commands, options, checks and files", () =>
  inFolder(async (folder) => {
    assertEquals(sorted(await offeredByFish(folder, "crxn ")), sorted([...names, "help"]));
    for (const name of names) {
      assertEquals(sorted(await offeredByFish(folder, `crxn ${name} --`)), sorted(long(name)), name);
    }
    assertEquals(await offeredByFish(folder, "crxn dow"), ["down"]);
    assertEquals(sorted(await offeredByFish(folder, "crxn doctor --explain ")), sorted(ids));
    assertEquals(await offeredByFish(folder, "crxn doctor --only nat-rule,mss"), ["nat-rule,mss-clamp"]);
    assertEquals(await offeredByFish(folder, "crxn status --config gate"), ["gate way.yaml"]);
    assertEquals(sorted(await offeredByFish(folder, "crxn completions ")), ["bash", "fish", "zsh"]);
    assertEquals(sorted(await offeredByFish(folder, "crxn help ")), sorted(names));
    // Controls: no command behind a command, no foreign option, no file where none belongs.
    assertEquals(await offeredByFish(folder, "crxn up dow"), []);
    assertEquals(await offeredByFish(folder, "crxn up --explai"), []);
    assertEquals(await offeredByFish(folder, "crxn down gate"), []);
  }));

Deno.test("the Debian package puts each script where its shell finds it by itself", () =>
  inFolder(async (folder) => {
    for (const shell of ["zsh", "fish"] as const) {
      const places = (await must(LOOKS[shell], { env: { HOME: folder } })).trim().split("\n");
      assert(
        places.includes(`/${COMPLETIONS[shell].replace(/\/[^/]*$/, "")}`),
        `${shell} looks in ${places.join(", ")}`,
      );
    }
    // The package bash-completion reads a file of the command's name, when the command is completed for the first time.
    const env = { XDG_DATA_HOME: folder };
    assert(!(await run(LOOKS.bash, { env })).stdout.includes("_crxn"), "there is none yet");
    const [, name] = /^usr\/share\/(bash-completion\/completions\/crxn)$/.exec(COMPLETIONS.bash) ?? [];
    await Deno.mkdir(`${folder}/bash-completion/completions`, { recursive: true });
    await Deno.rename(await installed("bash", folder), `${folder}/${name}`);
    assertEquals(await must(LOOKS.bash, { env }), "complete -F _crxn crxn\n");
  }));
