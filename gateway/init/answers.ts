/** What `crxn init` knows so far, as the config that it would make. Pure. */

import { formatNetwork, network } from "../cidr.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { draftOf } from "../config/draft.ts";
import { findingsOnMachine } from "../config/on_machine.ts";
import type { Finding } from "../config/problem.ts";
import { defaultRouted, semanticFindings } from "../config/semantics.ts";
import { defaultDevices, type Terrain } from "./terrain.ts";

/** Where an answer came from: the command line, the machine, or a person who was asked. */
export type Source = "given" | "found" | "answered";

export interface Answer {
  /** Canonical; [] where the answer is "none". */
  values: string[];
  from: Source;
  /** Of `uplink`: written down although `up` would find it, too. */
  explicit?: boolean;
}

/**
 * By question, in the order in which they were settled. `route NET` holds who carries an overlay network: a public key or a next
 * hop.
 */
export type Answers = Map<string, Answer>;

/** The question after the `via` of a network: key or next hop. */
export const viaOf = (network: string): string => `route ${network}`;
export const isVia = (key: string): boolean => key.startsWith(viaOf(""));

export const valuesOf = (answers: Answers, key: string): string[] => answers.get(key)?.values ?? [];
export const valueOf = (answers: Answers, key: string): string | undefined => valuesOf(answers, key)[0];

export const isGateway = (answers: Answers): boolean => valueOf(answers, "role") !== "node";
export const isYggdrasil = (answers: Answers): boolean => valueOf(answers, "overlay") === "yggdrasil";

/** The answers with one more. Of the overlay the name of its link may come along: that is settled with it. */
export function withAnswer(answers: Answers, key: string, values: string[], from: Source): Answers {
  const [type, link] = values;
  const settled: [string, Answer][] = key === "overlay" && link !== undefined
    ? [[key, { values: [type!], from }], ["interface", { values: [link], from }]]
    : [[key, { values, from }]];
  return new Map([...answers, ...settled]);
}

/** The overlay's device: an existing link, or the name that yggdrasil's gets. */
export const linkName = (answers: Answers): string | undefined =>
  valueOf(answers, "interface") ?? (isYggdrasil(answers) ? DEFAULTS.interface : undefined);

/** A parsed crxn.yaml, of those keys that `crxn init` writes. */
export interface Document {
  address?: string | string[];
  prefix?: string;
  routed?: string;
  uplink?: string;
  overlay: {
    type?: string;
    interface?: string;
    tunnel?: string;
    daemon?: string;
    peers?: string[];
    listen?: string[];
    routes?: { to: string; via?: string }[];
    local?: string[];
  };
  nat64?: { instance?: string; pool?: string };
}

/** As far as it is known; keys with their defaults are left out. */
export function documentOf(answers: Answers): Document {
  const one = <K extends string>(key: K): { [key in K]?: string } => {
    const value = valueOf(answers, key);
    return value === undefined ? {} : { [key]: value } as { [key in K]: string };
  };
  const some = <K extends string>(key: K): { [key in K]?: string[] } =>
    valuesOf(answers, key).length > 0 ? { [key]: valuesOf(answers, key) } as { [key in K]: string[] } : {};
  const [addresses, gateway, yggdrasil] = [valuesOf(answers, "address"), isGateway(answers), isYggdrasil(answers)];
  const uplink = answers.get("uplink");
  const nat64 = { ...different(answers, "instance"), ...different(answers, "pool") };
  const routes = valuesOf(answers, "networks").map((to) => {
    const via = valueOf(answers, viaOf(to));
    return { to, ...(via === undefined ? {} : { via }) };
  });
  const type = valueOf(answers, "overlay");
  return {
    ...(addresses.length === 0 ? {} : { address: addresses.length === 1 ? addresses[0]! : addresses }),
    ...(gateway ? { ...one("prefix"), ...routedOf(answers) } : {}),
    // What `up` finds by itself at every start is not written down without need.
    ...(uplink && (uplink.from !== "found" || uplink.explicit) ? one("uplink") : {}),
    overlay: {
      ...(type === undefined ? {} : { type }),
      ...one("interface"),
      ...(yggdrasil ? { ...one("tunnel"), ...one("daemon"), ...some("peers"), ...some("listen") } : {}),
      ...(routes.length > 0 ? { routes } : {}),
      ...(yggdrasil ? some("local") : {}),
    },
    ...(gateway && answers.has("prefix") && Object.keys(nat64).length > 0 ? { nat64 } : {}),
  };
}

/** The config has the network around the prefix by default. */
function routedOf(answers: Answers): { routed?: string } {
  const [prefix, routed] = [valueOf(answers, "prefix"), valueOf(answers, "routed")];
  const around = prefix && formatNetwork(defaultRouted(network(prefix)));
  return routed === undefined || prefix === undefined || routed === around ? {} : { routed };
}

function different(answers: Answers, key: "instance" | "pool"): Record<string, string> {
  const value = valueOf(answers, key);
  return value === undefined || value === DEFAULTS[key] ? {} : { [key]: value };
}

/** What is wrong with the answers so far, by the rules of the config and by what `up` compares with the machine. */
export function findingsOf(answers: Answers, terrain: Terrain): Finding[] {
  // The way to the Internet counts whether it is written down or found.
  const uplink = valueOf(answers, "uplink") ?? defaultDevices(terrain)[0];
  const draft = draftOf({ ...documentOf(answers), ...(uplink ? { uplink } : {}) });
  return [...semanticFindings(draft), ...onMachine(answers, terrain, uplink)]
    .filter(({ path }) => isSettled(path, answers));
}

function onMachine(answers: Answers, { networks }: Terrain, uplink: string | undefined): Finding[] {
  const prefix = isGateway(answers) ? valueOf(answers, "prefix") : undefined;
  const translator = {
    instance: valueOf(answers, "instance") ?? DEFAULTS.instance,
    pool: valueOf(answers, "pool") ?? DEFAULTS.pool,
    workers: 1,
  };
  return findingsOnMachine({
    ...(prefix ? { prefix, nat64: translator } : {}),
    ...(uplink ? { uplink } : {}),
    overlay: { interface: linkName(answers) ?? "", routes: valuesOf(answers, "networks").map((to) => ({ to })) },
  }, networks);
}

/**
 * With an uplink that is not named every other link counts as one, and an overlay network that holds one of theirs is refused:
 * then the uplink has to be written down.
 */
export function withUplink(answers: Answers, terrain: Terrain): Answers {
  const uplink = valueOf(answers, "uplink") ?? defaultDevices(terrain)[0];
  if (uplink === undefined || onMachine(answers, terrain, undefined).length === 0) return answers;
  if (onMachine(answers, terrain, uplink).length > 0) return answers;
  const from = answers.get("uplink")?.from ?? "found";
  return new Map([...answers, ["uplink", { values: [uplink], from, explicit: true }]]);
}

/** Whether a finding is about something that has been answered: the rest may still become right. */
function isSettled(path: Finding["path"], answers: Answers): boolean {
  const [first, second, third] = path;
  if (first === "nat64") return answers.has(String(second));
  if (first !== "overlay") return answers.has(String(first));
  if (second !== "routes") return answers.has(String(second));
  if (path.length === 2 || path[3] === "to") return answers.has("networks");
  return answers.has(viaOf(valuesOf(answers, "networks")[Number(third)] ?? ""));
}
