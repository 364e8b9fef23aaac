/** The units of the gateway that is here: those of the config, and those that crxn's journal knows. */

import type { Config } from "../gateway/config/types.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { Unit } from "../gateway/names.ts";
import { workersOf } from "../gateway/workers.ts";
import { kindOfConfig, unitsLogged } from "../machine/always.ts";
import { readJournal } from "../machine/journal.ts";
import { type Context, loadConfig } from "./context.ts";

/** @throws CrxnError 78 when there is no config, or a bad one, and the journal knows of no gateway either */
export async function unitsHere({ options }: Context): Promise<string[]> {
  const made = await readJournal().then(
    ({ entries }) => [...entries.values()].flatMap(({ item }) => item.kind === "service" ? [item.unit] : []),
    (error) => {
      if (error instanceof CrxnError && error.exit === Exit.noPermission) return [];
      throw error;
    },
  );
  let configured: string[] = [];
  try {
    configured = unitsOf((await loadConfig(options.config)).config);
  } catch (error) {
    if (!(error instanceof CrxnError) || made.length === 0) throw error;
  }
  // A timer says nothing itself. What takes it all back is no service that has to run.
  return [...new Set([...configured, ...made.map((u) => u.replace(/\.timer$/, ".service")), Unit.confirm])];
}

const unitsOf = (config: Config): string[] =>
  unitsLogged(kindOfConfig(config, workersOf(config).map((w) => w.instance)));
