/** What most commands need: the config, the machine as it is, and what it should be. */

import { type Blueprint, blueprint } from "../gateway/blueprint.ts";
import { capabilityOf } from "../gateway/capability.ts";
import type { Config } from "../gateway/config/types.ts";
import type { Uplinks } from "../gateway/config/on_machine.ts";
import { parseConfig, problemsOnMachine } from "../gateway/config/parse.ts";
import { ConfigError } from "../gateway/config/problem.ts";
import { CrxnError, Exit, systemWords } from "../gateway/errors.ts";
import { daemonOf, factsOf, type Identity, type MoreFacts } from "../gateway/facts.ts";
import type { Journal } from "../gateway/journal.ts";
import { Path } from "../gateway/names.ts";
import { portsMade } from "../gateway/overlay_nodes.ts";
import { mssMade } from "../gateway/segments.ts";
import { defaultUplink, type Survey } from "../gateway/survey.ts";
import { addressFromKey } from "../gateway/yggdrasil_address.ts";
import { readJournal } from "../machine/journal.ts";
import { type Runner, SystemRunner } from "../machine/run.ts";
import { ownCaller } from "../machine/confirm.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import { changeableByOthers } from "../machine/trust.ts";
import { chooseTunnel } from "../machine/tunnel.ts";
import { findIdentity } from "../machine/identity.ts";
import type { Ui } from "./ui.ts";
import { machineSize } from "../machine/size.ts";

export interface Options {
  config: string;
  json: boolean;
  yes: boolean;
  /** Seconds to wait for another crxn; `true`: as long as it takes. */
  wait?: number | true;
}

export interface Context {
  options: Options;
  ui: Ui;
  runner: Runner;
}

export interface LoadedConfig {
  text: string;
  config: Config;
}

/** @throws CrxnError 78 when there is no config, or a bad one */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new CrxnError(
        Exit.config,
        `There is no config at ${file}.`,
        "`crxn init` makes one; `crxn init --example` prints one to start from.",
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CrxnError(Exit.noPermission, `${file} may not be read by this user.`, "Run crxn as root.");
    }
    // Of /dev/stdin and <(...) as well: they lead into /proc.
    if (error instanceof Deno.errors.NotCapable) {
      throw new CrxnError(
        Exit.config,
        `${file} is nothing that crxn may read: it opens no file of /proc, /dev or /sys.`,
        "Save the config as a file, and name that with --config.",
      );
    }
    if (error instanceof Error && /directory/i.test(error.message)) {
      throw new CrxnError(Exit.config, `${file} is a folder, not a config.`, "Name the file itself with --config.");
    }
    if (error instanceof TypeError || error instanceof Deno.errors.InvalidData) {
      throw new CrxnError(Exit.config, `${file}:1:1: this is not UTF-8 text.`, "Save the config as UTF-8.");
    }
    // A name that is too long, links that lead in a circle.
    const said = systemWords(error);
    if (said) {
      throw new CrxnError(Exit.config, `${file} cannot be read: ${said.words}.`, "Name another file with --config.");
    }
    throw error;
  }
  const changeable = await changeableByOthers(file);
  if (changeable) {
    throw new CrxnError(
      Exit.config,
      `${file} is not to be trusted: ${changeable}, and this is root.`,
      `Look whether it says what you want, then \`chown root:root\` and \`chmod go-w\` what is named.`,
    );
  }
  return { text, config: await parseConfig(text, file, machineSize()) };
}

export function requireRoot(what: string, remedy = "Run it with sudo, or as root."): void {
  if (Deno.uid() === 0) return;
  throw new CrxnError(Exit.noPermission, `${what} needs root.`, remedy);
}

/** @throws CrxnError 69 when this machine cannot be a gateway at all */
export function requireDebian(survey: Survey): void {
  const { id, version, name } = survey.os;
  if (id !== "debian" || !survey.packages) {
    throw new CrxnError(
      Exit.unavailable,
      `crxn sets up Debian machines; this is ${name || "something else"}.`,
      "Run it on Debian 12 or newer.",
    );
  }
  // Testing and unstable have no version number.
  if (version !== "" && Number(version) < 12) {
    throw new CrxnError(Exit.unavailable, `${name} is too old.`, "crxn needs Debian 12 or newer.");
  }
  if (!survey.systemd) {
    throw new CrxnError(Exit.unavailable, "systemd does not run this machine.", "crxn's units need it.");
  }
  if (!survey.tun) {
    throw new CrxnError(
      Exit.unavailable,
      "There is no /dev/net/tun, which tayga and yggdrasil need.",
      "Try `modprobe tun`; in a container the host has to pass the device in.",
    );
  }
}

/**
 * What could not be read must not be taken for what is not there: neither to judge the machine nor to put it back.
 * @throws CrxnError 1 when a program that every Debian has did not answer
 */
export function requireAnswers(survey: Survey): void {
  // Units are only there to be asked about where systemd runs.
  const asked = survey.systemd ? /^(packages|links|routes|units):/ : /^(packages|links|routes):/;
  const silent = survey.unknown.filter((question) => asked.test(question));
  if (silent.length === 0 || survey.os.id !== "debian") return;
  throw new CrxnError(
    Exit.failed,
    `This machine could not be read: ${silent.join("; ")}.`,
    "Nothing was changed. Try again when the machine is less busy.",
  );
}

export interface Prepared {
  journal: Journal;
  survey: Survey;
  blueprint: Blueprint;
  identity?: Identity;
}

/**
 * Reads the machine and computes what it should be.
 * @throws CrxnError 78 when the config collides with the machine, 69 when it lacks something
 */
export async function prepare(context: Context, loaded: LoadedConfig, identity?: Identity): Promise<Prepared> {
  const { runner, options } = context;
  const journal = await readJournal();
  const survey = await readSurvey(runner, questionsOf(loaded.config, journal));
  requireAnswers(survey);
  const problems = await problemsOnMachine(
    loaded.config,
    loaded.text,
    options.config,
    networksOf(survey, journal),
    uplinksOf(survey),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  const measured = mssMade(journal);
  const more: MoreFacts = measured === undefined ? {} : { measuredMss: measured };
  if (loaded.config.upkeep) more.caller = ownCaller(options.config);
  if (loaded.config.overlay.type === "yggdrasil") {
    requireYggdrasil(survey);
    const { generation } = daemonOf(survey, loaded.config.overlay);
    // A daemon that has come in the meantime may be of the other generation.
    const ready = identity && addressFromKey(identity.publicKey, generation) === identity.address;
    more.identity = ready ? identity : await findIdentity(generation);
    more.tunnel = await chooseTunnel(runner, loaded.config.overlay, survey, journal);
    more.ports = portsMade(journal);
  }
  const facts = factsOf(loaded.config, survey, more);
  return {
    journal,
    survey,
    blueprint: blueprint(loaded.config, facts),
    ...(more.identity ? { identity: more.identity } : {}),
  };
}

/**
 * What overlay.daemon names must be a yggdrasil: the unit would start anything.
 * @throws CrxnError 69
 */
export function requireYggdrasil({ daemon }: Pick<Survey, "daemon">): void {
  if (!daemon || (daemon.normalised !== undefined && capabilityOf(daemon.normalised))) return;
  throw new CrxnError(
    Exit.unavailable,
    `${daemon.path} does not work as a yggdrasil daemon: ${daemon.error ?? "it does not know yggdrasil's config"}.`,
    "Every user must be able to run it, as Debian's unit runs it as user yggdrasil. Correct overlay.daemon, or leave it out to use Debian's.",
  );
}

function uplinksOf(survey: Survey): Uplinks {
  const [inet, inet6] = [defaultUplink(survey, "inet")?.device, defaultUplink(survey)?.device];
  return { ...(inet ? { inet } : {}), ...(inet6 ? { inet6 } : {}) };
}

/** The machine's own networks, without what crxn itself put there. */
export function networksOf({ links }: Pick<Survey, "links">, journal: Journal): { network: string; device: string }[] {
  const made = [...journal.entries.values()].flatMap(({ item }) => item.kind === "address" ? [item] : []);
  // A device that was renamed has kept its addresses.
  const ours = (address: string, device: string) =>
    made.some((m) => m.address === address && (m.device === device || !links.some((l) => l.name === m.device)));
  return links.flatMap((link) =>
    link.addresses
      .filter((a) => a.scope === "global" && !ours(a.address, link.name))
      .map((a) => ({ network: a.address, device: link.name }))
  );
}

export const system = (): Runner => new SystemRunner();
export const defaultConfig = Path.config;
