/** `crxn logs`: what all daemons of the gateway said, in one. */

import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { type Level, LEVELS } from "../checks/log_level.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { followQuestion, keepsBack, logFault, parseEntry, tailQuestion } from "../machine/logs.ts";
import type { Result, Runner } from "../machine/run.ts";
import { bareReason, nothingHere } from "./bare.ts";
import type { Context } from "./context.ts";
import { unitsHere } from "./gateway_units.ts";
import { type LogEntry, logEntry, logText, shortUnit } from "./logs_output.ts";
import { lineCount, withCommon } from "./options.ts";
import { harmlessJson, paintFor, put, shownAs } from "./ui.ts";

/** Lines that are read to find those of a level. */
const SEARCHED = 20_000;

export const logsCommand = () =>
  withCommon(
    new Command("logs")
      .description(
        "Shows what the daemons of the gateway logged, merged by time: when, who, how bad, what, and what it means.\n" +
          "error: a complaint that needs somebody; warning: what passes by itself; info: the rest.",
      )
      .option("--lines <number>", "the last so many lines", lineCount, 50)
      .option("--since <time>", "from then on: 10min, 2h, today, '2026-11-29 21:00' (journalctl's words)", sinceTime)
      .option("--follow", "go on with what comes, until Ctrl-C")
      .addOption(new Option("--level <level>", "only this level and worse").choices(LEVELS).default("info" as Level))
      .option("--unit <name>", "only units with this in their name: tayga, yggdrasil, crxn"),
    { yes: false },
  );

export interface LogsOptions {
  lines: number;
  since?: string | undefined;
  follow?: true | undefined;
  level: Level;
  unit?: string | undefined;
}

export async function logs(context: Context, options: LogsOptions): Promise<ExitCode> {
  const { ui, runner } = context;
  if (await nothingHere(context.options.config)) {
    const reason = bareReason(context.options.config);
    ui.out(ui.json ? JSON.stringify({ schema: "crxn.logs/1", units: [], lines: [], reason }, null, 2) : reason);
    return Exit.notUp;
  }
  const units = chosen(await unitsHere(context), options.unit);
  const { lines, cursor } = await readTail(runner, units, options);
  const width = Math.max(...units.map((u) => shortUnit(u).length));
  const paint = paintFor(Deno.stdout);
  if (!options.follow) {
    if (ui.json) ui.out(JSON.stringify({ schema: "crxn.logs/1", units, lines }, null, 2));
    else for (const line of lines) ui.out(logText(line, width, paint));
    if (lines.length === 0) ui.say(`Nothing${options.level === "info" ? "" : " of that level"} was logged.`);
    return Exit.ok;
  }
  const show = (line: LogEntry): boolean =>
    ui.json
      ? put(harmlessJson(JSON.stringify({ schema: "crxn.logs/1", units, lines: [line] })) + "\n")
      : put(shownAs(logText(line, width, paint)) + "\n");
  if (lines.every(show)) await follow(runner, units, cursor, (line) => !isWanted(line, options) || show(line));
  return Exit.ok;
}

const isWanted = ({ level }: LogEntry, options: LogsOptions) => LEVELS.indexOf(level) <= LEVELS.indexOf(options.level);

function chosen(units: string[], name: string | undefined): string[] {
  const some = units.filter((u) => name === undefined || u.includes(name));
  if (some.length > 0) return some;
  throw new CrxnError(
    Exit.usage,
    `No unit of the gateway has "${name}" in its name.`,
    `There are: ${units.join(", ")}.`,
  );
}

/** @throws CrxnError 64 for a time that journalctl does not know, 77 where the log may not be read */
async function readTail(runner: Runner, units: string[], options: LogsOptions) {
  const asked = options.level === "info" ? options.lines : Math.max(SEARCHED, options.lines);
  const answer = await runner.run(tailQuestion(units, asked, options.since), { timeoutSeconds: 60 });
  const entries = answer.stdout.split("\n").flatMap((text) => parseEntry(text, units) ?? []);
  const fault = tailFault(answer, entries.length, options.since);
  if (fault) throw fault;
  const wanted = entries.map(({ line }) => logEntry(line)).filter((line) => isWanted(line, options));
  return { lines: wanted.slice(-options.lines), cursor: entries.at(-1)?.cursor };
}

/** Why an answer of journalctl's is none. */
export function tailFault(
  { code, stderr }: Pick<Result, "code" | "stderr">,
  entries: number,
  since?: string,
): CrxnError | undefined {
  if (/failed to parse timestamp/i.test(stderr)) {
    return new CrxnError(Exit.usage, `journalctl knows no time "${since}".`, "Write 10min, 2h, today, or a date.");
  }
  if (entries === 0 && keepsBack(stderr)) {
    return new CrxnError(
      Exit.noPermission,
      "The log of the gateway's units may not be read by this user.",
      "Run it with sudo, as root, or as a member of group adm or systemd-journal.",
    );
  }
  if (code === 0) return undefined;
  return new CrxnError(Exit.failed, `The log cannot be read: ${logFault(code, stderr).replace(/\.$/, "")}.`);
}

/** Until Ctrl-C, SIGTERM, the end of journalctl, or until `take` says that nobody listens any more. */
async function follow(
  runner: Runner,
  units: string[],
  cursor: string | undefined,
  take: (line: LogEntry) => boolean,
): Promise<void> {
  const { promise: ended, resolve: end } = Promise.withResolvers<"asked" | "gone">();
  let rest = "";
  const text = new TextDecoder();
  const stdout = new WritableStream<Uint8Array>({
    write: (bytes) => {
      const lines = (rest + text.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const one of lines) {
        const entry = parseEntry(one, units);
        if (entry && !take(logEntry(entry.line))) return end("asked");
      }
    },
    close: () => end("gone"),
  });
  const asked = () => end("asked");
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, asked);
  const held = runner.start?.(followQuestion(units, cursor), { stdout });
  try {
    if (!held || await ended === "gone") {
      throw new CrxnError(Exit.failed, `journalctl has ended: ${held?.output().trim() || "it cannot be started"}.`);
    }
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, asked);
    await held?.end();
  }
}

/** A span means so long ago; anything else is journalctl's to understand. */
function sinceTime(text: string): string {
  if (/^\d+ ?(s|sec|min|m|h|hours?|d|days?|w|weeks?)$/.test(text)) return `-${text.replace(/m$/, "min")}`;
  if (!/^[\w:@+. -]{1,60}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a time.`);
  return text;
}
