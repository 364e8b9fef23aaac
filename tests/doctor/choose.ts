/** Which faults are made in a run: all, some by name, or a random sample that a seed brings back. Pure. */

import { CHECKS } from "../../checks/list.ts";
import type { Debian } from "../rig/images.ts";
import { dice } from "../unit/dice.ts";
import { CRXN, type Fault, type Harmless, type SceneName } from "./fault.ts";

/** Faults of each scene in a sample, for each Debian. */
export const SAMPLE: Readonly<Record<SceneName, number>> = { link: 8, advertised: 1, yggdrasil: 2 };
/** Pairs for each Debian. */
export const PAIRS = { sample: 1, all: 5 };

export interface Choice {
  /** `CRXN_FAULTS`: "all", or names of faults (a part of each will do), separated by commas. Default: a sample. */
  faults?: string | undefined;
  seed: number;
}

/** Things that are no fault, in a sample. */
export const SAMPLE_HARMLESS = 2;

/**
 * What this run makes on a Debian. A sample makes no fault on both of them.
 * @param open names of faults that are known not to be seen as declared yet: a sample is to find what is new
 */
export function chosen(
  faults: readonly Fault[],
  debian: Debian,
  choice: Choice,
  open: readonly string[] = [],
): Fault[] {
  const { faults: which, seed } = choice;
  if (which !== undefined && which !== "") return asked(faults, debian, which);
  const half = shuffled(faults, seed).filter((fault, i) =>
    fault.only === debian || (fault.only === undefined && (i % 2 === 0) === (debian === "bookworm"))
  );
  const left = { ...SAMPLE };
  const sample = half.filter(({ name, scene }) => !open.includes(name) && left[scene]-- > 0);
  return faults.filter((fault) => sample.includes(fault));
}

/** The same of what is no fault. */
export function harmlessOf(harmless: readonly Harmless[], debian: Debian, { faults: which, seed }: Choice): Harmless[] {
  if (which !== undefined && which !== "") return asked(harmless, debian, which);
  return shuffled(harmless, seed + (debian === "bookworm" ? 3 : 4)).slice(0, SAMPLE_HARMLESS);
}

function asked<T extends { name: string; only?: Debian }>(list: readonly T[], debian: Debian, which: string): T[] {
  const parts = which.split(",").map((part) => part.trim().toLowerCase());
  return list.filter(({ name, only }) =>
    (only === undefined || only === debian) &&
    (which === "all" || parts.some((part) => name.toLowerCase().includes(part)))
  );
}

/** Pairs of one scene that can be told apart. @param count how many */
export function pairsOf(faults: readonly Fault[], debian: Debian, count: number, seed: number): [Fault, Fault][] {
  const here = shuffled(
    faults.filter(({ scene, only }) => scene === "link" && (only === undefined || only === debian)),
    seed + (debian === "bookworm" ? 1 : 2),
  );
  const pairs: [Fault, Fault][] = [];
  while (pairs.length < count && here.length > 1) {
    const first = here.shift()!;
    const second = here.findIndex((other) => canMeet(first, other));
    if (second >= 0) pairs.push([first, ...here.splice(second, 1)] as [Fault, Fault]);
  }
  return pairs;
}

/** Checks that measure: what is lost on the way for another reason leaves them nothing to measure. */
const MEASURED = new Set(["probe", "path-mtu", "prefix-routed", "rp-filter"]);

/** A fault whose undoing needs a crxn that works does not go with one on whose machine crxn refuses. */
const touchedBy = ({ touches, undoes = "" }: Fault): string[] =>
  JSON.stringify(undoes).includes("crxn up") ? [...touches, CRXN] : [...touches];

/** Whether both can be named at once: neither takes away what the other is about, nor excuses the other's check. */
export function canMeet(a: Fault, b: Fault): boolean {
  if (a.id === b.id || touchedBy(a).some((what) => touchedBy(b).includes(what))) return false;
  if (MEASURED.has(a.id) || MEASURED.has(b.id)) return false;
  return !prerequisites(a.id).has(b.id) && !prerequisites(b.id).has(a.id);
}

/** The ids that a check needs, and those that they need. */
function prerequisites(id: string): Set<string> {
  const found = new Set<string>();
  const walk = (from: string) => {
    for (const need of CHECKS.find((check) => check.id === from)?.needs ?? []) {
      if (!found.has(need)) {
        found.add(need);
        walk(need);
      }
    }
  };
  walk(id);
  return found;
}

/** The same order for the same seed (Fisher and Yates). */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  const copy = [...list];
  const roll = dice(seed);
  for (let i = copy.length - 1; i > 0; i--) {
    const j = roll(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** `CRXN_SEED`, or a new one. */
export function seedFrom(text: string | undefined): number {
  return text === undefined || text === "" ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(text) >>> 0;
}
