/** Asks the kernel where packets would go. Nothing is sent. ip-route(8), `ip route get`. */

import { type Flow, flowWords, type RouteAnswer } from "../checks/flow.ts";
import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import { objects, text } from "./ip.ts";
import type { Runner } from "./run.ts";

/**
 * All questions of a family in one run.
 * @returns undefined where ip(8) is missing or answers oddly
 */
export async function askRoutes(runner: Runner, flows: Flow[]): Promise<RouteAnswer[] | undefined> {
  const answers = await Promise.all((["inet", "inet6"] as const).map((f) => askFamily(runner, f, flows)));
  return answers.every((a) => a !== undefined) ? answers.flat() : undefined;
}

async function askFamily(runner: Runner, family: Family, all: Flow[]): Promise<RouteAnswer[] | undefined> {
  const flows = all.filter((f) => f.family === family);
  if (flows.length === 0) return [];
  const argv = [Program.ip, "-j", family === "inet6" ? "-6" : "-4", "-force", "-batch", "-"];
  const stdin = flows.map((f) => `route get ${flowWords(f).join(" ")}\n`).join("");
  const { stdout, stderr } = await runner.run(argv, { stdin });
  return parseAnswers(flows, stdout, stderr);
}

/** A line of stdout for each answer, and for each error its text and `Command failed -:LINE` on stderr. Pure. */
export function parseAnswers(flows: Flow[], stdout: string, stderr: string): RouteAnswer[] | undefined {
  const errors = new Map<number, string>();
  let said = "";
  for (const line of stderr.split("\n")) {
    const failed = /^Command failed \S*:(\d+)$/.exec(line)?.[1];
    if (failed === undefined) said = line.replace(/^(RTNETLINK answers|Error): /, "") || said;
    else errors.set(Number(failed), said);
  }
  const lines = stdout.split("\n").filter((l) => l.startsWith("["));
  if (lines.length + errors.size !== flows.length) return undefined;
  try {
    return flows.map((flow, i) => {
      const error = errors.get(i + 1);
      return error === undefined ? answerOf(flow, lines.shift()!) : { flow, error };
    });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function answerOf(flow: Flow, line: string): RouteAnswer {
  const [seen = {}] = objects(line);
  const [device, via, table] = [text(seen["dev"]), text(seen["gateway"]), text(seen["table"])];
  return {
    flow,
    type: text(seen["type"]) ?? "unicast",
    ...(device ? { device } : {}),
    ...(via ? { via } : {}),
    ...(table ? { table } : {}),
  };
}
