/** Whether the far nodes answer over yggdrasil alone. ping(8). */

import type { Reach } from "../checks/probe_result.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { foreignKeys } from "../gateway/config/key_warnings.ts";
import { mayNotPing, ping } from "./ping.ts";
import type { Runner } from "./run.ts";

/**
 * Pings each far node over yggdrasil, all at once.
 * @returns undefined where this user may not ping
 */
export async function reachNodes(runner: Runner, { config, nodes, facts }: Blueprint): Promise<Reach[] | undefined> {
  const asked = await Promise.all(nodes.map(async ({ key, address, networks }) => {
    // One answer is all that is wanted; three are asked for only where none comes.
    const quick = await ping(runner, address, { count: 1 });
    const { received, argv: command, output } = quick.received > 0 ? quick : await ping(runner, address);
    return { key, address, networks, received, command, output, foreign: false };
  }));
  if (asked.some((r) => r.received === 0 && mayNotPing(r.output))) return undefined;
  if (asked.every((r) => r.received > 0)) return asked;
  const foreign = await foreignKeys(config, facts.daemon?.generation ?? "0.5");
  return asked.map((r) => ({ ...r, foreign: foreign.includes(r.key) }));
}
