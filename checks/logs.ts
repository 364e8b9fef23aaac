import { Program } from "../gateway/action.ts";
import { type LogLine, saidSince } from "../gateway/host.ts";
import type { Check, CheckInput, Evidence } from "./check.ts";
import { meaningOf, withoutDate } from "./log_words.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** Lines to quote, the latest. */
const QUOTED = 5;

/** What the daemons complain about. */
export const logs: Check = {
  id: "logs",
  title: "The daemons' logs have no errors",
  hop: undefined,
  needs: [],
  looksAt:
    "What the gateway's units have logged since each was last started, up to 2000 lines of this boot. Both daemons log everything at one priority: known complaints are found by their words and explained, unknown ones by words such as error, failed, unable. Lost and refused connections of yggdrasil are left to overlay-peers, and a unit that does not run to its own check, which quotes its last lines.",
  why:
    "Both daemons name in their logs what they cannot tell otherwise: a listener that could not be opened, a bad key, a full disk.",
  cure: "`journalctl -b -u tayga@INSTANCE -u yggdrasil` shows all of it; a restart of the unit clears what was.",
  run: (input) => {
    const { host, survey } = input;
    if (!host) return { verdict: "skip", found: "not read" };
    if (!host.log) {
      const found = survey.root ? "journalctl does not answer" : "the log may be read by root and group adm only";
      return { verdict: "unknown", found };
    }
    const units = [...new Set(host.log.map((l) => l.unit))];
    return outcomeOf(units.flatMap((unit) => complaints(unit, input)), input);
  },
};

function complaints(unit: string, { survey, host }: CheckInput): Problem[] {
  const seen = survey.units[unit];
  if (seen?.active !== "active") return [];
  const lines = saidSince(host, unit, seen.since).filter((l) => !l.manager).map((line) => ({
    line,
    meaning: meaningOf(unit, line.message, line.priority),
  }));
  const known = new Map(lines.flatMap(({ line, meaning }) => meaning?.means ? [[meaning.means, line] as const] : []));
  const unknown = lines.filter(({ meaning }) => meaning && meaning.means === undefined).map(({ line }) => line);
  return [
    ...[...known].map(([means, line]): Problem => ({
      found: `${unit}: ${means} ("${textOf(line)}", ${timeOf(line)})`,
      verdict: "warn",
      evidence: [evidence(unit, [line])],
    })),
    ...(unknown.length > 0
      ? [{
        found: `${unit} has logged ${unknown.length === 1 ? "an error" : `${unknown.length} errors`} since its start, ${
          unknown.length === 1 ? "" : "the last "
        }at ${timeOf(unknown.at(-1)!)}: "${textOf(unknown.at(-1)!)}"`,
        verdict: "warn" as const,
        evidence: [evidence(unit, unknown.slice(-QUOTED))],
      }]
      : []),
  ];
}

const textOf = ({ message }: LogLine): string => {
  const text = withoutDate(message);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
};

const timeOf = ({ at }: LogLine): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const evidence = (unit: string, lines: LogLine[]): Evidence => ({
  command: [Program.journalctl, "--boot", `--unit=${unit}`],
  output: lines.map((l) => l.message).join("\n"),
});
