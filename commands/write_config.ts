/** A new config gets to its place: shown, asked for, whole or not at all. */

import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { parent, readSeen, writeAtomically } from "../machine/files.ts";
import { changeableByOthers } from "../machine/trust.ts";
import type { Context } from "./context.ts";

export interface NewConfig {
  text: string;
  mode: number;
  notes: string[];
  /** The heading above it. */
  what: string;
}

/** @throws CrxnError 64 where nobody can be asked, 1 where there is a config already, or the answer is no */
export async function writeConfig({ ui, options }: Context, { text, mode, notes, what }: NewConfig): Promise<ExitCode> {
  const { config: path, yes } = options;
  if (await readSeen(path) !== null) {
    throw new CrxnError(
      Exit.failed,
      `There is a config at ${path} already, and it stays as it is.`,
      "Name another file with --config, or move it away first.",
    );
  }
  const changeable = await changeableByOthers(parent(path));
  if (changeable) {
    throw new CrxnError(
      Exit.config,
      `${path} would not be safe: ${changeable}.`,
      "Mend that, or name another --config.",
    );
  }
  if (!ui.json) ui.say(`${what}\n\n${text}`);
  for (const note of notes) ui.say(`note: ${note}`);
  if (!yes) {
    if (!ui.interactive) {
      throw new CrxnError(
        Exit.usage,
        "Nobody can be asked here: there is no terminal.",
        "Add --yes to write it, or --print.",
      );
    }
    if (!ui.ask(`Write ${path}?`)) throw new CrxnError(Exit.failed, "Nothing was written.");
  }
  await writeAtomically(path, text, { mode });
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.init/1", path, config: text, notes }, null, 2));
  else ui.out(`${path} is written. Next: \`crxn up --dry-run\`, then \`crxn up\`.`);
  return Exit.ok;
}
