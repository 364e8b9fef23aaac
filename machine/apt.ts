/** apt and dpkg: what is installed, and bringing what is missing without starting anything. */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { Unit } from "../gateway/names.ts";
import { OWN_TAYGA, SURVEY } from "./always.ts";
import { at } from "./place.ts";
import { failure, must, type Result, type Runner } from "./run.ts";

const APT = [
  Program.aptGet,
  "-q",
  "-y",
  "-o",
  "DPkg::Lock::Timeout=300",
  "-o",
  "Dpkg::Options::=--force-confold",
  "-o",
  "Dpkg::Use-Pty=0",
];
const APT_ENV = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1", APT_LISTCHANGES_FRONTEND: "none" };

/** `dpkg-query`: name -> version of everything that is wholly installed. */
export async function readPackages(runner: Runner): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await runner.run(SURVEY.packages);
  if (code !== 0) throw new Error(stderr.trim() || "dpkg-query failed");
  return parsePackages(stdout);
}

/** Whether /etc/tayga.conf differs from what its package brought: `??5??????  c /etc/tayga.conf` (dpkg(1) --verify). */
export async function hasOwnTayga(runner: Runner): Promise<boolean> {
  const { stdout } = await runner.run(OWN_TAYGA);
  return /^\S*5\S*\s+c\s+\/etc\/tayga\.conf$/m.test(stdout);
}

export function parsePackages(output: string): Record<string, string> {
  const packages: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const [name, status, version] = line.split(" ");
    if (name && version && status === "installed") packages[name] = version;
  }
  return packages;
}

/** What `apt-get --simulate install` says it would bring: the names after "Inst". */
export const parseSimulation = (output: string): string[] =>
  output.split("\n").flatMap((l) => /^Inst (\S+) (?!\[)/.exec(l)?.[1] ?? []);

export interface InstallHooks {
  /** Called once it is known what comes, before anything is changed. */
  onBring: (packages: string[]) => Promise<void>;
  /** Percent and what is going on, many times. */
  onProgress: (percent: number, what: string) => void;
}

/**
 * Installs packages with their dependencies and nothing recommended; no service of theirs is started.
 * @throws CrxnError 69 when apt cannot find or fetch them
 */
export async function installPackages(runner: Runner, packages: string[], hooks: InstallHooks): Promise<void> {
  hooks.onProgress(0, "reading package lists");
  await waitForLists(runner);
  const install = [...APT, "install", "--no-install-recommends", ...packages];
  const simulation = await runner.run([...install, "--simulate"], { env: APT_ENV, timeoutSeconds: 120 });
  if (simulation.code !== 0) throw unavailable(packages, simulation);
  const brings = parseSimulation(simulation.stdout);
  await hooks.onBring(brings);

  const systemd = await Deno.stat(at("/run/systemd/system")).then(() => true, () => false);
  const guard = systemd && brings.includes("tayga");
  // Debian 13's tayga starts at install, with a sample config. A mask in /run keeps it down, and a reboot forgets it.
  if (guard) await must(runner, [Program.systemctl, "--quiet", "mask", "--runtime", Unit.sampleTranslator]);
  try {
    const result = await runner.run(install, {
      env: APT_ENV,
      timeoutSeconds: 1800,
      onOutput: progressOf(brings.length, hooks.onProgress),
    });
    if (result.code !== 0) throw unavailable(packages, result);
  } finally {
    if (guard) await releaseSample(runner);
  }
}

/** Ends the guard over Debian's own tayga: it stays installed, disabled. Harmless when there is none. */
export async function releaseSample(runner: Runner): Promise<void> {
  await runner.run([Program.systemctl, "--quiet", "unmask", "--runtime", Unit.sampleTranslator]);
  await runner.run([Program.systemctl, "--quiet", "disable", Unit.sampleTranslator]);
}

/** `apt-get update`, which has no waiting for its lock of its own: somebody's unattended-upgrades may hold it. */
async function waitForLists(runner: Runner): Promise<void> {
  const deadline = Date.now() + 300_000;
  while (true) {
    const result = await runner.run([...APT, "update"], { env: APT_ENV, timeoutSeconds: 300 });
    const locked = result.code !== 0 && /Could not get lock/.test(result.stderr);
    if (!locked || Date.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function unavailable(packages: string[], result: Result): CrxnError {
  return new CrxnError(
    Exit.unavailable,
    `apt cannot install ${packages.join(", ")}.`,
    "Check that this machine reaches its Debian mirror (`apt-get update`), then try again.",
    failure(result).detail,
  );
}

/**
 * Counts what apt says on its way: each package is fetched, unpacked and set up.
 * (APT::Status-Fd would be exact, but its descriptor gets in the way of debconf in the packages' scripts.)
 */
function progressOf(packages: number, report: InstallHooks["onProgress"]): (text: string) => void {
  let done = 0;
  return (text) => {
    for (const [line] of text.matchAll(/^(Get:\d+ |Unpacking |Setting up ).*$/gm)) {
      done++;
      report(
        Math.min(99, Math.round(100 * done / (3 * Math.max(packages, 1)))),
        line.replace(/^Get:\d+ \S+ /, "Fetching "),
      );
    }
  };
}

/** What a simulated purge would change: the names that go (`Purg`, or `Remv`), and those that come in the place of one (`Inst`). */
export const parsePurge = (output: string): string[] =>
  output.split("\n").flatMap((l) => /^(?:Purg|Remv|Inst) (\S+)/.exec(l)?.[1] ?? []);

export interface Purge {
  /** What goes: none of them takes anything along that crxn did not bring. */
  packages: string[];
  /** What stays, because other packages need it. */
  stay: string[];
}

/**
 * Which of the packages that crxn brought can be purged. apt takes along whatever depends on one, and that may be somebody's
 * by now: a library is needed by what came later as well.
 * @throws CrxnError 69 when apt does not say what a purge would do
 */
export async function foreseePurge(runner: Runner, packages: string[]): Promise<Purge> {
  const brought = new Set(packages);
  const harmless = async (names: string[]) => {
    const simulation = await runner.run([...APT, "purge", "--simulate", ...names], {
      env: APT_ENV,
      timeoutSeconds: 120,
    });
    // With a package on hold among what it would change apt refuses: that is for somebody else to decide.
    if (simulation.code === 100 && /\b[Hh]eld (packages|broken)/.test(simulation.stdout + simulation.stderr)) {
      return false;
    }
    if (simulation.code !== 0) throw undecided(simulation);
    return parsePurge(simulation.stdout).every((name) => brought.has(name));
  };
  const found: Purge = { packages: [], stay: [] };
  // Each with those before it: of two alternatives one can go, both cannot. By halves, for apt takes a second or two.
  const sort = async (names: string[]): Promise<void> => {
    if (names.length === 0) return;
    if (await harmless([...found.packages, ...names])) return void found.packages.push(...names);
    if (names.length === 1) return void found.stay.push(...names);
    const middle = Math.ceil(names.length / 2);
    await sort(names.slice(0, middle));
    await sort(names.slice(middle));
  };
  await sort(packages);
  return found;
}

const undecided = (result: Result): CrxnError =>
  new CrxnError(
    Exit.unavailable,
    "apt does not say what a purge would take along. Nothing was changed.",
    "Mend what it complains about, or leave out --purge: the packages stay then.",
    failure(result).detail,
  );

/** Removes packages, as {@linkcode foreseePurge} found that they can be. */
export async function purgePackages(runner: Runner, packages: string[]): Promise<void> {
  await must(runner, [...APT, "purge", ...packages], { env: APT_ENV, timeoutSeconds: 600 });
}
