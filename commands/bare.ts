/** A machine with neither a config nor anything done: "not up" is the answer, not an error. */

import { readSeen } from "../machine/files.ts";
import { readJournal } from "../machine/journal.ts";

export async function nothingHere(config: string): Promise<boolean> {
  if (await readSeen(config) !== null) return false;
  return await readJournal().then(({ entries }) => entries.size === 0, () => false);
}

export const bareReason = (config: string): string => `There is no config at ${config}, and no gateway.`;
