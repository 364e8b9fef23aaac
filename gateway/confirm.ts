/** `up --confirm`: what is gone back to unless somebody confirms, and the units that see to it. Pure. */

import serviceUnit from "../assets/units/crxn-confirm.service" with { type: "text" };
import timerUnit from "../assets/units/crxn-confirm.timer" with { type: "text" };
import type { Blueprint } from "./blueprint.ts";
import { contains, host, network, parseAddress } from "./cidr.ts";
import type { Item } from "./item.ts";
import { Unit, unitPath } from "./names.ts";
import type { Step } from "./step.ts";
import type { Survey } from "./survey.ts";
import { commandWords } from "./systemd_words.ts";
import { fill } from "./template.ts";

/** What waits to be confirmed. */
export interface Pending {
  v: 1;
  /** How long it waits, in seconds. */
  seconds: number;
  /** When that is over, as ISO 8601. */
  until: string;
  /** SSH_CONNECTION of the session that asked for it (ssh(1)); missing where it came by another way. */
  session?: string;
  /** The gateway as it was before: what is gone back to. None: there was no gateway. */
  items: Item[];
}

/** Seconds, unless said otherwise: time for a login, and for a look around. */
export const CONFIRM_SECONDS = 120;

/** A JSON of this version; undefined for any other text. */
export function pendingIn(text: string): Pending | undefined {
  try {
    const value = JSON.parse(text);
    const known = value?.v === 1 && Array.isArray(value.items) && typeof value.seconds === "number" &&
      typeof value.until === "string" && !Number.isNaN(Date.parse(value.until));
    return known ? value : undefined;
  } catch {
    return undefined;
  }
}

export const confirmJson = ({ until, seconds }: Pending) => ({ until, seconds });

/** For whoever has to do it. */
export const confirmLine = ({ until }: Pick<Pending, "until">): string =>
  `NOT CONFIRMED YET: run \`crxn confirm\` from a new session until ${timeOf(until)}, or all of it is taken back.`;

/** Of day, here: 21:03:10. */
export const timeOf = (iso: string): string => new Date(iso).toTimeString().slice(0, 8);

const HEADER = "Made by `crxn up --confirm`: goes with `crxn confirm`, or when time is up.";

/** Where these units are. */
export const CONFIRM_UNITS = [unitPath(Unit.confirm), unitPath(Unit.confirmTimer)];

/** The units that take it back, by path. Not of the gateway: whether they are there says nothing about it. */
export const confirmUnits = (command: string[], seconds: number): Record<string, string> => ({
  [unitPath(Unit.confirm)]: fill(serviceUnit, { header: HEADER, command: commandWords(command) }),
  [unitPath(Unit.confirmTimer)]: fill(timerUnit, { header: HEADER, seconds: String(seconds) }),
});

/** Where a program may be gone after a reboot, or before. */
const PASSING = /^\/(tmp|run|dev|var\/(tmp|run)|proc)\//;

/** Why crxn's own program will not do for a timer; undefined when it will. */
export function unfit(command: string[]): string | undefined {
  // deno-lint-ignore no-control-regex
  if (command.some((word) => /[\x00-\x1f\x7f]/.test(word))) return "its path has control characters";
  if (/["'\\]/.test(command[0] ?? "")) return "its path has quotes or backslashes, which systemd takes in no program's";
  const passing = command.find((word) => PASSING.test(word));
  return passing && `${passing} may be gone by then`;
}

/** An address of this machine, which may be a link-local one with its device, and the device that has it. */
function endOf(server: string, survey: Survey) {
  const [text = "", scope] = server.split("%");
  const address = parseAddress(text);
  const isIt = (a: string) => {
    const other = parseAddress(a.split("/")[0]!);
    return other?.family === address?.family && other?.value === address?.value;
  };
  const device = scope ?? survey.links.find((l) => address && l.addresses.some((a) => isIt(a.address)))?.name;
  return { address, device };
}

/**
 * The device that a session comes by, where the gateway works on that: the uplink, a default route's, the overlay's.
 * @param server this machine's address in that session; of a link-local one with its device, fe80::1%eth0
 */
export function sessionDevice(server: string, { config, facts, overlayDevice }: Blueprint, survey: Survey) {
  const { address, device } = endOf(server, survey);
  if (!address) return undefined;
  const loopback = ["127.0.0.0/8", "::1/128"].some((n) => contains(network(n), host(address)));
  if (loopback) return undefined;
  const uplinks = [facts.uplink.name, ...survey.routes.filter((r) => r.to === "default").map((r) => r.device)];
  // An address on lo, or on no device at all, comes by the uplink.
  if (device === undefined || device === "lo") return facts.uplink.name;
  return [...uplinks, config.overlay.interface, overlayDevice].includes(device) ? device : undefined;
}

/**
 * A session that comes over the overlay, where nobody will be let in at its port any more (`overlay.access`): it would go on,
 * and be the last.
 * @param server this machine's address in that session, as for {@linkcode sessionDevice}
 * @returns what to write into the config
 */
export function shutOut(server: string, port: number, { config, ways, items }: Blueprint, survey: Survey) {
  const { overlay } = config;
  const { device } = endOf(server, survey);
  const guarded = [...ways.map((w) => w.device), ...(overlay.type === "yggdrasil" ? [overlay.interface] : [])];
  const service = `tcp/${port}`;
  if (device === undefined || !guarded.includes(device)) return undefined;
  if (overlay.access === "all" || overlay.access.includes(service)) return undefined;
  // Over an existing link IPv6 is left alone.
  const guard = items.some((i) =>
    i.kind === "chain" && i.from === "INPUT" && i.family === (server.includes(":") ? "inet6" : "inet") &&
    i.rules.some((r) => r.includes(device) && r.at(-1) === "DROP")
  );
  const named = typeof overlay.access === "string" ? [service] : [...overlay.access, service];
  return guard ? { device, access: `access: [${named.join(", ")}]` } : undefined;
}

/** Whether steps can cut a session short: files alone do nothing. */
export const canCut = (steps: Step[]): boolean =>
  steps.some(({ item, undoes, actions }) =>
    actions.length > 0 && (item !== undefined || undoes !== undefined) && item?.kind !== "file"
  );
