/**
 * The mending of `crxn doctor --fix`: one finding after the other, in the order of the checks. Each is looked at again after its
 * mend; one that fails does not keep the others from being mended, and what a mend brings to light is mended too.
 */

import type { CheckInput, Finding } from "../checks/check.ts";
import { mendSteps, signatureOf } from "../checks/mend.ts";
import type { Step } from "../gateway/step.ts";
import { apply } from "../machine/apply.ts";
import { keepIdentity } from "../machine/identity.ts";
import { unitLogs } from "../machine/logs.ts";
import { Interrupted, type Signals } from "../machine/signals.ts";
import { uninterrupted } from "./alone.ts";
import type { Context } from "./context.ts";
import { describe } from "./converge.ts";
import type { Examined, Fixed } from "./doctor_output.ts";
import { bring } from "./install.ts";
import { consent } from "./plan_output.ts";

/** Milliseconds that a mended service gets to show it, a router to announce itself once more, and what has neither. */
const PATIENCE = { service: 15_000, router: 10_000, rest: 2_000 };
/** Milliseconds between two looks. */
const PAUSE = 400;
/** Milliseconds after which a fault that a mend has brought to light is believed. */
const UNDERWAY = 1_000;
/** Attempts for one check: its finding may have several layers, of which only the first shows. */
const ATTEMPTS = 3;
/** Attempts in all. */
const MOST = 60;

/** What a person who stops it has to know. */
const KEPT = "What is mended stays, and is in the journal: `crxn doctor` shows what is left.";

/** How `doctor` looks at the machine again. */
export type Look = () => Promise<Examined>;

const isWrong = ({ verdict }: Finding) => verdict === "fail" || verdict === "warn";

/** What `--fix` can do something about. */
export const mendable = ({ report: { findings }, input }: Examined): Finding[] =>
  // Without a readable journal nothing could be taken back.
  input.journal ? findings.filter((f) => isWrong(f) && mendSteps([f], input).length > 0) : [];

export class Mending implements Disposable {
  /** From the first mend on. */
  private signals: Signals | undefined;
  /** By check, in the order of the first attempts. */
  private readonly done = new Map<string, Fixed>();
  private readonly tried = new Map<string, { signatures: Set<string>; count: number; mendedThen: number }>();
  /** What was there to mend before anything was done, by check. */
  private readonly first = new Map<string, Finding>();
  private asked = false;

  /** @param look without sending packets, which takes time */
  constructor(private readonly context: Context, private readonly look: Look) {}

  /** Ids of what was mended. */
  get mended(): string[] {
    return [...this.done.values()].filter((f) => f.result === "mended").map((f) => f.id);
  }

  [Symbol.dispose](): void {
    this.signals?.[Symbol.dispose]();
  }

  /** Mends until there is nothing left to try. @returns whether anything was tried */
  async run(start: Examined): Promise<boolean> {
    for (const f of mendable(start)) if (!this.first.has(f.id)) this.first.set(f.id, f);
    let seen = start;
    let any = false;
    for (let attempts = 0; attempts < MOST; attempts++) {
      let finding = mendable(seen).find((f) => this.isWorthTrying(f, seen));
      if (finding && any && !this.first.has(finding.id)) {
        // What has just come up may only be on its way: a daemon takes its device some milliseconds after its start.
        await pause(UNDERWAY);
        seen = await this.look();
        finding = mendable(seen).find((f) => this.isWorthTrying(f, seen));
      }
      if (!finding) break;
      if (!this.asked) this.ask(seen);
      this.signals ??= uninterrupted(this.context);
      this.signals.check(KEPT);
      seen = await this.mend(finding, seen);
      any = true;
    }
    return any;
  }

  /** What became of each finding, judged by the last look. */
  results({ report: { findings }, input }: Examined): Fixed[] {
    for (const fixed of this.done.values()) {
      const now = findings.find((f) => f.id === fixed.id);
      if (now?.verdict !== "fail" || fixed.result === "failed") continue;
      const reason = now.mend ? "it came back" : "what is left of it is not crxn's to change";
      Object.assign(fixed, { result: now.mend ? "failed" : "left", found: now.found ?? now.title, reason });
      if (now.fix && !now.mend) fixed.commands = now.fix;
    }
    const open = findings.filter((f) => f.verdict === "fail" && !this.done.has(f.id));
    const along = [...this.first.values()].filter((f) => !this.done.has(f.id) && !open.some((o) => o.id === f.id));
    return [
      ...this.done.values(),
      ...along.map((f) => mendedAlong(f, findings.find((now) => now.id === f.id))),
      // The probe only feels what others are at fault for.
      ...open.filter((f) => f.id !== "probe").map((f) => left(f, input)),
    ];
  }

  private ask(seen: Examined): void {
    const steps = mendable(seen).flatMap((f) => mendSteps([f], seen.input));
    consent(this.context, unique(steps), "This mends what is the gateway's own (and what then comes to light):");
    this.asked = true;
  }

  /** A mend that failed is tried once more when another one has changed something since. */
  private isWorthTrying(finding: Finding, { input }: Examined): boolean {
    const before = this.tried.get(finding.id);
    if (!before) return true;
    if (before.count >= ATTEMPTS) return false;
    return !before.signatures.has(signatureOf(finding, input)) || before.mendedThen < this.mended.length;
  }

  private async mend(finding: Finding, { input }: Examined): Promise<Examined> {
    const { ui, runner } = this.context;
    const { id } = finding;
    const found = this.done.get(id)?.found ?? finding.found ?? finding.title;
    const tried = this.tried.get(id) ?? { signatures: new Set(), count: 0, mendedThen: 0 };
    tried.signatures.add(signatureOf(finding, input));
    this.tried.set(id, { ...tried, count: tried.count + 1, mendedThen: this.mended.length });
    const steps = mendSteps([finding], input);
    let error: unknown;
    try {
      await this.carryOut(id, steps, input);
    } catch (caught) {
      // Neither a bug nor a signal is a failed mend.
      if (caught instanceof Interrupted) throw caught;
      if (caught instanceof TypeError || caught instanceof ReferenceError) throw caught;
      error = caught;
    }
    const seen = await this.verify(id, steps, tried.signatures, error === undefined);
    ui.done();
    const now = seen.report.findings.find((f) => f.id === id);
    if (!now || !isWrong(now)) {
      this.done.set(id, { id, result: "mended", found });
      ui.say(`mended: ${id}`);
      return seen;
    }
    const unit = unitOf(steps);
    const log = unit ? await unitLogs(runner, unit, 8) : "";
    const reason = error === undefined ? `after that still: ${now.found ?? now.title}` : describe(error);
    this.done.set(id, { id, result: "failed", found, reason, ...(log ? { log } : {}) });
    ui.say(`not mended: ${id}`);
    return seen;
  }

  private async carryOut(id: string, steps: Step[], { blueprint, survey }: CheckInput): Promise<void> {
    const { ui, runner } = this.context;
    await bring(this.context, steps);
    const { identity } = blueprint.facts;
    if (identity?.keys && steps.some((s) => s.item?.kind === "file" && s.item.secret)) await keepIdentity(identity);
    await apply(runner, steps, survey, (step) => {
      this.signals?.check(KEPT);
      ui.progress(`${id}: ${step.title}`);
    }, blueprint.items);
  }

  /** Looks until the check is content, something else is to be done about it, or time is up. */
  private async verify(id: string, steps: Step[], tried: ReadonlySet<string>, waits: boolean): Promise<Examined> {
    // Nothing makes the kernel ask for an advertisement.
    const router = id === "accept-ra";
    const patience = router ? PATIENCE.router : unitOf(steps) ? PATIENCE.service : PATIENCE.rest;
    const deadline = Date.now() + (waits ? patience : 0);
    while (true) {
      const seen = await this.look();
      const now = seen.report.findings.find((f) => f.id === id);
      if (!now || !isWrong(now) || Date.now() >= deadline) return seen;
      const steps = mendSteps([now], seen.input);
      if (steps.length === 0 && router) {
        await pause(PAUSE);
        continue;
      }
      if (steps.length === 0 || !tried.has(signatureOf(now, seen.input))) return seen;
      this.context.ui.progress(`${id}: waiting`);
      await pause(PAUSE);
    }
  }
}

/** What nothing was done about by itself, and does not fail any more. */
function mendedAlong({ id, title, found = title }: Finding, now: Finding | undefined): Fixed {
  return now?.verdict === "skip" || now?.verdict === "unknown"
    ? { id, result: "failed", found, reason: now.found ?? "cannot be judged" }
    : { id, result: "mended", found, reason: "along with the others" };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function left(finding: Finding, { journal }: CheckInput): Fixed {
  const { id, title, found = title, fix } = finding;
  const reason = !journal
    ? "crxn's journal cannot be read: what is done now could not be taken back"
    : fix
    ? "not crxn's to change"
    : finding.want
    ? `not crxn's to mend; wanted: ${finding.want}`
    : "not crxn's to mend";
  return { id, result: "left", found, reason, ...(fix ? { commands: fix } : {}) };
}

/** The unit that the steps start, if any: the last one, which depends on the others. */
function unitOf(steps: Step[]): string | undefined {
  const words = steps.flatMap((s) => s.actions).flatMap((a) => a.do === "run" ? [a.argv] : []);
  return words.filter(([program, verb]) => program?.endsWith("/systemctl") && /^(re)?start$/.test(verb ?? ""))
    .at(-1)?.at(-1);
}

function unique(steps: Step[]): Step[] {
  const seen = new Set<string>();
  return steps.filter((s) => {
    const key = JSON.stringify([s.title, s.actions]);
    return !seen.has(key) && seen.add(key);
  });
}
