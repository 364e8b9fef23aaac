/**
 * crxn as a library: the pieces of the command line, for programs. Data flows one way: a config is parsed, a blueprint is
 * computed from it and a few facts, a survey says what the machine is, and the difference is a list of steps.
 *
 * Everything from `gateway/` and `checks/` is pure: it touches no file, starts no process and needs no root. What reads
 * or changes a machine is at the end of this file; it drives the programs of Debian 12 and 13 and wants root.
 *
 * What a config comes to, without touching anything:
 *
 * ```ts
 * import { blueprint, compare, factsOf, parseConfig, planLines, replay, slice, type Survey } from "./mod.ts";
 *
 * const text = `
 * address: 10.5.0.1/32
 * prefix: 2a04:5b80:300:4::/96
 * overlay:
 *   type: interface
 *   interface: wg0
 *   routes: [{to: 10.0.0.0/8}]
 * `;
 * const config = await parseConfig(text, "crxn.yaml");
 *
 * // A recorded machine: of this one `readSurvey` makes it.
 * const link = (name: string, mtu: number): Survey["links"][number] => ({
 *   name, mtu, up: true, carrier: true, data: {}, addresses: [],
 *   rx: { packets: 0, bytes: 0, dropped: 0 }, tx: { packets: 0, bytes: 0, dropped: 0 },
 * });
 * const survey: Survey = {
 *   root: true, os: { id: "debian", version: "12", name: "Debian 12" }, systemd: true, tun: true,
 *   packages: {}, files: {}, sysctls: {}, rules: {}, units: {}, unknown: [],
 *   links: [link("eth0", 1500), link("wg0", 1420)],
 *   routes: [{
 *     family: "inet6", to: "default", type: "unicast", device: "eth0", via: "fe80::1",
 *     table: "main", protocol: "static", metric: 1024,
 *   }],
 * };
 *
 * const { items } = blueprint(config, factsOf(config, survey));
 * const steps = compare(items, survey, replay([]));
 * console.log(planLines(steps).join("\n"));
 * console.log(slice(config.prefix!, "10.0.0.0/8")); // 2a04:5b80:300:4::a00:0/104
 * ```
 *
 * Errors that a person can act on are of class {@linkcode CrxnError}: exit code, message, remedy. Anything else that is
 * thrown is a bug in crxn.
 *
 * @module
 */

// What should be.
export type { Config, Daemon, Nat64, Overlay, Route, Tunnel } from "./gateway/config/types.ts";
export { parseConfig, problemsOnMachine } from "./gateway/config/parse.ts";
export { ConfigError, type Problem, problemText } from "./gateway/config/problem.ts";
export { jsonSchema } from "./gateway/config/json_schema.ts";
export { daemonPath } from "./gateway/daemon.ts";
export { type Blueprint, blueprint } from "./gateway/blueprint.ts";
export { type Facts, factsOf, type Identity } from "./gateway/facts.ts";
export type { Family, Item } from "./gateway/item.ts";
export { CrxnError, Exit, type ExitCode } from "./gateway/errors.ts";

// What is.
export type { Survey } from "./gateway/survey.ts";
export { see } from "./gateway/see.ts";
export type { State } from "./gateway/state.ts";

// The difference, and what was done.
export { compare } from "./gateway/compare.ts";
export type { Step } from "./gateway/step.ts";
export { planJson, planLines } from "./gateway/plan.ts";
export { type Action, commandLine } from "./gateway/action.ts";
export { type Before, type Entry, type Journal, replay } from "./gateway/journal.ts";

// What is wrong with it.
export type { Check, CheckInput, Finding, Hop, Verdict } from "./checks/check.ts";
export { CHECKS } from "./checks/list.ts";
export { runChecks } from "./checks/run.ts";
export { pathOf, type Station } from "./checks/path.ts";

// Addresses: RFC 6052, and those of yggdrasil.
export { embed, extract, slice } from "./gateway/address.ts";
export { addressFromKey, subnetFromKey } from "./gateway/yggdrasil_address.ts";

// The machine itself.
export { type Result, type Runner, type RunOptions, SystemRunner } from "./machine/run.ts";
export { type Questions, questionsOf, readSurvey } from "./machine/survey.ts";
export { readJournal } from "./machine/journal.ts";
export { apply } from "./machine/apply.ts";
