/** What a report is made of: read here, and not yet fit to be shown. */

import { CHECKS } from "../checks/list.ts";
import { runChecks } from "../checks/run.ts";
import type { CheckInput } from "../checks/check.ts";
import { commandLine, Program } from "../gateway/action.ts";
import { compare } from "../gateway/compare.ts";
import type { Config } from "../gateway/config/types.ts";
import { CrxnError } from "../gateway/errors.ts";
import type { Entry } from "../gateway/journal.ts";
import { replay } from "../gateway/journal.ts";
import { planLines } from "../gateway/plan.ts";
import { redact } from "../gateway/redact.ts";
import type { Survey } from "../gateway/survey.ts";
import { readSeen } from "../machine/files.ts";
import { readJournal } from "../machine/journal.ts";
import { logFault, parseEntry, tailQuestion } from "../machine/logs.ts";
import { readProc } from "../machine/proc.ts";
import type { Runner } from "../machine/run.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { bareReason, nothingHere } from "./bare.ts";
import { type Context, loadConfig, type LoadedConfig, prepare } from "./context.ts";
import { examine, wantedIds } from "./doctor.ts";
import { unitsHere } from "./gateway_units.ts";
import { logEntry } from "./logs_output.ts";
import { type Report, type Said, withoutComments, withTexts } from "./report_text.ts";
import { WITHOUT_PROBE } from "./status.ts";
import { type Status, statusOf } from "./status_data.ts";
import { statusLines } from "./status_output.ts";
import { VERSION } from "./version.ts";

export interface Gathered {
  report: Report;
  /** Hex that is public. */
  known: string[];
  /** Keys of nodes. */
  keys: string[];
  /** Names of hosts. */
  names: string[];
}

/** Who may have to do with it. */
const PACKAGES =
  /^(tayga|yggdrasil|systemd|iproute2|iptables|nftables|iputils-ping|procps|ifupdown|network-manager|firewalld|ufw|docker\.io|docker-ce|wireguard-tools|openvpn|strongswan|jool-tools|fail2ban|tcpdump|unattended-upgrades|linux-image-.*)$/;

const KERNEL = "/proc/sys/kernel/osrelease";
const HOSTNAME = "/proc/sys/kernel/hostname";

export async function gather(
  context: Context,
  { target, lines }: { target?: string | undefined; lines: number },
): Promise<Gathered> {
  const { runner, options } = context;
  const proc = await readProc(runner, [KERNEL, HOSTNAME]).catch((): Record<string, string> => ({}));
  const bare = await nothingHere(options.config);
  const loaded = await attempt(() => loadConfig(options.config));
  const journal = await attempt(readJournal);
  const seen = loaded.value
    ? await attempt(() => examine(context, loaded.value!, wantedIds({}), target))
    : { error: bare ? bareReason(options.config) : loaded.error! };
  const survey = seen.value?.input.survey ??
    (await attempt(() => readSurvey(runner, questionsOf(undefined, journal.value ?? replay([]))))).value;
  const units = await attempt(() => unitsHere(context));
  const about = publicOf(loaded.value?.config, survey, seen.value?.input, [(proc[HOSTNAME] ?? "").trim()]);
  const clean = (text: string) => redact(text, new Set(about.known));
  const report: Report = {
    schema: "crxn.report/1",
    made: new Date().toISOString(),
    root: Deno.uid() === 0,
    hidden: false,
    versions: {
      crxn: VERSION,
      kernel: (proc[KERNEL] ?? "unknown").trim(),
      debian: survey?.os.name ?? "unknown",
      packages: Object.fromEntries(Object.entries(survey?.packages ?? {}).filter(([name]) => PACKAGES.test(name))),
    },
    config: await configOf(options.config, loaded.error),
    status: seen.value
      ? statusText(statusOf(seen.value.input, runChecks(CHECKS, seen.value.input, WITHOUT_PROBE)), clean)
      : seen.error!,
    doctor: seen.value
      ? doctorOf(seen.value.report)
      : { findings: [], error: await withoutDoctor(context, seen.error!) },
    plan: loaded.value ? await planOf(context, loaded.value) : { lines: [], error: loaded.error! },
    network: await networkOf(runner),
    units: Object.values(survey?.units ?? {}).map(({ unit, load, active, sub, enabled, result, restarts }) => ({
      unit,
      load,
      active,
      sub,
      enabled,
      result,
      restarts,
    })),
    logs: units.value ? await logsOf(runner, units.value, lines) : [],
    journal: journal.value ? [...journal.value.entries.values()].map(entryLine) : [journal.error!],
  };
  return { report, ...about };
}

/** What cannot be had is said in its place. A bug is none of that. */
async function attempt<T>(
  question: () => Promise<T>,
): Promise<{ value: T; error?: never } | { value?: never; error: string }> {
  try {
    return { value: await question() };
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error;
    const remedy = error instanceof CrxnError && error.remedy ? ` ${error.remedy}` : "";
    return { error: `${error instanceof Error ? error.message : error}${remedy}` };
  }
}

async function configOf(file: string, error: string | undefined): Promise<Report["config"]> {
  const text = (await readSeen(file).catch(() => null))?.content;
  return {
    file,
    ...(text === undefined ? {} : { text: withoutComments(text) }),
    ...(error === undefined ? {} : { error }),
  };
}

const plain = (text: string) => text;
const PLAIN = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

/** @param clean takes out secrets: before the lines are broken, for it knows a note by the quotes around it */
export const statusText = (status: Status, clean: (text: string) => string): string =>
  statusLines(withTexts(status, clean), PLAIN, Date.now()).join("\n");

type Examined = Awaited<ReturnType<typeof examine>>;

const doctorOf = ({ healthy, path, findings }: Examined["report"]): Report["doctor"] => ({
  healthy,
  path: path.map(({ hop, state }) => ({ hop, state })),
  findings: findings.map(({ id, verdict, title, found, want, fix, evidence }) => ({
    id,
    verdict,
    title,
    ...(found === undefined ? {} : { found }),
    ...(want === undefined ? {} : { want }),
    ...(fix ? { fix: fix.map(commandLine) } : {}),
    // Words of a command belong together: a secret is known by what stands before it.
    ...(evidence && verdict !== "pass"
      ? { evidence: evidence.map(({ command, output }) => ({ command: commandLine(command), output })) }
      : {}),
  })),
});

/** What the doctor can say without a config. */
async function withoutDoctor(context: Context, error: string): Promise<string> {
  const { withoutConfig } = await import("./doctor_bare.ts");
  const told = await loadConfig(context.options.config).then(() => undefined, (e) => withoutConfig(context, e));
  const more = told instanceof CrxnError ? told.detail?.text : undefined;
  return more ? `${error}\n${more}` : error;
}

async function planOf(context: Context, loaded: LoadedConfig): Promise<Report["plan"]> {
  const { value, error } = await attempt(async () => {
    const { blueprint, survey, journal } = await prepare(context, loaded);
    return compare(blueprint.items, survey, journal);
  });
  if (!value) return { lines: [], error: error! };
  // A file with keys is not compared here at all.
  const steps = value.map(({ diff, ...step }) => diff && !diff.secret ? { ...step, diff } : step);
  return { lines: steps.length > 0 ? planLines(steps).flatMap((l) => l.split("\n")) : ["nothing"] };
}

async function networkOf(runner: Runner): Promise<Said[]> {
  const questions = [
    // Brief: what `ip -d link` tells of a tunnel has its key.
    [Program.ip, "-br", "link"],
    [Program.ip, "-br", "address"],
    [Program.ip, "-4", "rule"],
    [Program.ip, "-6", "rule"],
    [Program.ip, "-4", "route", "show", "table", "all"],
    [Program.ip, "-6", "route", "show", "table", "all"],
    [Program.iptablesSave, "-c"],
    [Program.ip6tablesSave, "-c"],
    [Program.iptablesLegacySave],
    [Program.ip6tablesLegacySave],
    [Program.nft, "-t", "list", "ruleset"],
  ];
  const answers = await Promise.all(questions.map((argv) => runner.run(argv)));
  return answers.filter(({ code, stdout }) => code !== 127 && !(code === 0 && stdout.trim() === "")).map((a) => ({
    command: commandLine(a.argv),
    output: a.code === 0 ? a.stdout.trimEnd() : a.stderr.trim(),
  }));
}

export async function logsOf(runner: Runner, units: string[], lines: number): Promise<Report["logs"]> {
  const { code, stdout, stderr } = await runner.run(tailQuestion(units, lines), { timeoutSeconds: 60 });
  if (code !== 0) {
    const text = `the log cannot be read: ${logFault(code, stderr)}`;
    return [{ at: new Date().toISOString(), unit: "journalctl", level: "error", text }];
  }
  return stdout.split("\n").flatMap((text) => parseEntry(text, units) ?? []).map(({ line }) => {
    const { at, unit, level, text } = logEntry(line);
    return { at, unit, level, text };
  });
}

/** Of what was there before only that it was: files of others may hold anything. */
function entryLine({ item, before: { file, unit, sysctls } }: Entry): string {
  const was = [
    ...(file === undefined ? [] : [file === null ? "no file" : "a file"]),
    ...(unit ? [`${unit.enabled || unit.load}, ${unit.active}`] : []),
    ...Object.entries(sysctls ?? {}).slice(0, 1).map(([, value]) => value),
  ];
  return `${item.id}${was.length > 0 ? ` (before: ${was.join(", ")})` : ""}`;
}

function publicOf(
  config: Config | undefined,
  survey: Survey | undefined,
  input: CheckInput | undefined,
  names: string[],
): Omit<Gathered, "report"> {
  const overlay = config?.overlay;
  const uris = [
    ...(overlay?.type === "yggdrasil" ? [...overlay.peers, ...overlay.listen] : []),
    ...(survey?.overlay?.peers ?? []).map((p) => p.uri),
  ];
  const keys = [
    ...(overlay?.type === "yggdrasil" ? overlay.routes.map((r) => r.via) : []),
    ...uris.flatMap((u) => /[?&]key=([0-9a-f]{64})(?![0-9a-f])/i.exec(u)?.[1] ?? []),
    ...(survey?.overlay?.peers ?? []).map((p) => p.key ?? ""),
    survey?.overlay?.publicKey ?? "",
    input?.blueprint.facts.identity?.publicKey ?? "",
  ].map((k) => k.toLowerCase()).filter((k) => /^[0-9a-f]{64}$/.test(k));
  const download = overlay?.type === "yggdrasil" && typeof overlay.daemon === "object" ? overlay.daemon : undefined;
  const hosts = [...uris, download?.url ?? ""].flatMap((u) =>
    /^[a-z]+:\/\/(?:[^/?]*@)?([a-z0-9_.-]*[a-z][a-z0-9_.-]*)(?=[:/?]|$)/i.exec(u)?.[1] ?? []
  );
  return {
    known: [...keys, ...(download ? [download.sha256] : [])],
    keys: [...new Set(keys)],
    names: [...names, ...hosts],
  };
}
