/** crxn's own commands, played on a fake machine. */

import { confirm, type ConfirmOptions } from "../../../commands/confirm.ts";
import type { Context } from "../../../commands/context.ts";
import { prepare } from "../../../commands/context.ts";
import { takeBackSteps } from "../../../commands/converge.ts";
import { doctor, type DoctorOptions } from "../../../commands/doctor.ts";
import type { Fixed, Report } from "../../../commands/doctor_output.ts";
import { down } from "../../../commands/down.ts";
import type { Ui } from "../../../commands/ui.ts";
import { up, type UpOptions } from "../../../commands/up.ts";
import { parseConfig } from "../../../gateway/config/parse.ts";
import { compare } from "../../../gateway/compare.ts";
import type { Step } from "../../../gateway/step.ts";
import { apply } from "../../../machine/apply.ts";
import { readJournal } from "../../../machine/journal.ts";
import { placeFiles } from "../../../machine/place.ts";
import { questionsOf, readSurvey } from "../../../machine/survey.ts";
import { keepIdentity } from "../../../machine/identity.ts";
import { hurried } from "./hurried.ts";
import type { FakeMachine } from "./machine.ts";

/** Thrown where crxn is killed. */
export class Killed extends Error {}

export class Play {
  /** All that was said. */
  said = "";
  readonly context: Context;
  private readonly file: string;

  constructor(readonly machine: FakeMachine) {
    placeFiles(machine.folder);
    this.file = `${machine.folder}/run/crxn.yaml`;
    const note = (text: string) => void (this.said += text + "\n");
    const ui: Ui = {
      json: false,
      interactive: false,
      out: note,
      say: note,
      progress: note,
      done: () => {},
      ask: () => false,
    };
    this.context = { options: { config: this.file, json: false, yes: true }, ui, runner: machine };
  }

  async up(config: string, options: UpOptions = {}): Promise<number> {
    Deno.writeTextFileSync(this.file, config);
    return await hurried(() => up(this.context, options));
  }

  down = (): Promise<number> => hurried(() => down(this.context, {}));

  confirm = (options: ConfirmOptions = {}): Promise<number> => hurried(() => confirm(this.context, options));

  /** @returns what `doctor --json` prints, and its exit code */
  async doctor(config: string, options: DoctorOptions = {}): Promise<Report & { code: number; fixed?: Fixed[] }> {
    Deno.writeTextFileSync(this.file, config);
    let printed = "{}";
    const ui = { ...this.context.ui, json: true, out: (text: string) => void (printed = text) };
    const code = await hurried(() => doctor({ ...this.context, ui }, options));
    return { ...JSON.parse(printed), code };
  }

  /** What `up` would do. */
  async steps(config: string): Promise<Step[]> {
    const { blueprint, survey, journal } = await this.prepare(config);
    return compare(blueprint.items, survey, journal);
  }

  prepare = async (text: string) => await prepare(this.context, { text, config: await parseConfig(text, "crxn.yaml") });

  /** `up`, killed at the command (or file) with this number. @returns whether it came that far */
  async killedUp(config: string, at: number): Promise<boolean> {
    const { blueprint, survey, journal, identity } = await this.prepare(config);
    if (identity) await keepIdentity(identity);
    return await this.killed(compare(blueprint.items, survey, journal), survey, at);
  }

  async killedDown(at: number): Promise<boolean> {
    const journal = await readJournal();
    const survey = await readSurvey(this.machine, questionsOf(undefined, journal));
    return await this.killed(takeBackSteps([], survey, journal), survey, at);
  }

  private async killed(steps: Step[], survey: Parameters<typeof apply>[2], at: number): Promise<boolean> {
    let count = 0;
    const tick = () => {
      if (count++ === at) throw new Killed();
    };
    this.machine.before = () => {
      tick();
      return undefined;
    };
    try {
      await apply(this.machine, steps, survey, tick);
      return false;
    } catch (error) {
      if (error instanceof Killed) return true;
      throw error;
    } finally {
      this.machine.before = () => undefined;
    }
  }
}
