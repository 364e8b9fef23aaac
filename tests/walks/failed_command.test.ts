import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CrxnError } from "../../gateway/errors.ts";
import { refused } from "../unit/fake/answer.ts";
import { WALK } from "../unit/fake/configs.ts";
import type { Play } from "../unit/fake/play.ts";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { start, test, YGGDRASIL } from "./start.ts";

/** Runs `up` with every other of its commands failing in turn. */
async function failEach(
  play: Play,
  config: string,
  check: (failed: string) => void,
  reset: () => Promise<number>,
): Promise<number> {
  const { machine } = play;
  for (let n = 0;; n += 2) {
    let count = 0;
    let failed: string | undefined;
    machine.before = (argv) => {
      if (argv[0]!.endsWith("unshare") || argv.includes("-C") || failed !== undefined || count++ < n) return undefined;
      failed = argv.join(" ");
      return refused("made to fail", 3);
    };
    const result = await play.up(config).catch((error) => error);
    machine.before = () => undefined;
    if (failed === undefined) return n;
    // A line that may fail did: the machine is up, and the next round starts from where this one did.
    if (result === 0) {
      assertEquals(await play.steps(config), [], failed);
      assertEquals(await reset(), 0, failed);
      continue;
    }
    assert(result instanceof CrxnError && result.exit === 1, `${failed}: ${result.stack ?? result}`);
    assertStringIncludes(result.message + result.detail?.text, "made to fail");
    // All is made by then, and what is left over is known to the journal.
    if (failed.startsWith("/usr/sbin/nft delete table")) {
      assertStringIncludes(result.remedy ?? "", "tries again", failed);
      assertEquals(await play.up(config), 0, failed);
      assertEquals(await reset(), 0, failed);
      continue;
    }
    assertStringIncludes(result.remedy ?? "", "as it was before this run", `${failed}\n${play.said.slice(-3000)}`);
    check(failed);
  }
}

test("up: whichever command fails (every other is tried), the machine is as before this run", async () => {
  const { machine, play } = start();
  using _ = machine;
  const first = snapshot(machine);
  const tried = await failEach(
    play,
    YGGDRASIL,
    (failed) => assertEquals(differences(first, snapshot(machine)), [], failed),
    play.down,
  );
  assert(tried > 50, `only ${tried} commands`);
});

test("up: whichever command of a changed config fails, the former gateway is back", async () => {
  const { machine, play } = start();
  using _ = machine;
  await play.up(YGGDRASIL);
  const config = WALK["another instance"]!;
  const former = snapshot(machine);
  await failEach(
    play,
    config,
    (failed) => assertEquals(differences(former, snapshot(machine)), [], failed),
    () => play.up(YGGDRASIL),
  );
  assertEquals(await play.steps(config), []);
});
