/** `up --confirm` on the machine: the file that says what waits, and the timer that outlives crxn and its session. */

import { Program } from "../gateway/action.ts";
import { CONFIRM_UNITS, confirmUnits, type Pending, pendingIn } from "../gateway/confirm.ts";
import type { Caller } from "../gateway/facts.ts";
import { Path, Unit } from "../gateway/names.ts";
import { absolute, readNow, readSeen, remove, removeIfEmpty, writeAtomically } from "./files.ts";
import { must, type Runner } from "./run.ts";

/** What waits to be confirmed, if anything does. Only root can tell. */
export const readPending = (): Pending | undefined => pendingIn(readNow(Path.pending) ?? "");

const writePending = (pending: Pending): Promise<void> =>
  writeAtomically(Path.pending, JSON.stringify(pending) + "\n", { mode: 0o600 });

/** How this crxn is called: the compiled program, or Deno with the sources. */
export function ownCommand(): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  return [Deno.execPath(), "run", "--allow-all", "--no-prompt", new URL(Deno.mainModule).pathname];
}

/** For units: this crxn, and a config that they find wherever they start. */
export const ownCaller = (config: string): Caller => ({
  command: ownCommand(),
  config: absolute(config),
});

/**
 * From here on it is taken back by itself. The file comes last: without it the timer does nothing.
 * @returns what waits, as it is in the file
 */
export async function arm(runner: Runner, pending: Omit<Pending, "v" | "until">): Promise<Pending> {
  for (const [path, text] of Object.entries(confirmUnits(ownCommand(), pending.seconds))) {
    await writeAtomically(path, text, { mode: 0o644 });
  }
  await must(runner, [Program.systemctl, "daemon-reload"]);
  await must(runner, [Program.systemctl, "--quiet", "enable", Unit.confirmTimer]);
  return await startAnew(runner, { v: 1, ...pending, until: "" });
}

/** Its time begins anew, now that what it is about is done. */
export async function startAnew(runner: Runner, pending: Pending): Promise<Pending> {
  // One that has begun waits for the lock: its time was over too early.
  await runner.run([Program.systemctl, "stop", Unit.confirm]);
  await must(runner, [Program.systemctl, "restart", Unit.confirmTimer]);
  const anew = { ...pending, until: new Date(Date.now() + pending.seconds * 1000).toISOString() };
  await writePending(anew);
  return anew;
}

/** Nothing waits any more. The file goes first: from then on the timer does nothing. */
export async function disarm(runner: Runner): Promise<void> {
  await remove(Path.pending);
  await removeIfEmpty(Path.state);
  const there = await Promise.all(CONFIRM_UNITS.map(readSeen));
  if (there.every((file) => file === null)) return;
  await runner.run([Program.systemctl, "--quiet", "disable", "--now", Unit.confirmTimer]);
  for (const path of CONFIRM_UNITS) await remove(path);
  await must(runner, [Program.systemctl, "daemon-reload"]);
  // Listed as failed it would outlive its file.
  await runner.run([Program.systemctl, "reset-failed", Unit.confirm]);
}
