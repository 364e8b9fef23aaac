/** What every look at a machine asks, whatever the config says. */

import { Program } from "../gateway/action.ts";
import type { Family } from "../gateway/item.ts";
import { unitsQuestion } from "./systemd.ts";

/** Who may manage devices. */
export const MANAGERS = { networkd: "systemd-networkd.service", networkManager: "NetworkManager.service" };

const ip = (
  family: Family,
  ...words: string[]
): string[] => [Program.ip, "-j", family === "inet6" ? "-6" : "-4", ...words];
const ofBoth = (question: (family: Family) => string[]): Record<Family, string[]> => ({
  inet: question("inet"),
  inet6: question("inet6"),
});

/** Of the survey (survey.ts). */
export const SURVEY = {
  /** Without the elements of sets, which may be many thousands. */
  nft: [Program.nft, "-t", "-j", "list", "ruleset"],
  packages: [Program.dpkgQuery, "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n"],
  links: [Program.ip, "-j", "-d", "-s", "address", "show"],
  rules: { inet: [Program.iptablesSave], inet6: [Program.ip6tablesSave] } satisfies Record<Family, string[]>,
  routes: ofBoth((family) => ip(family, "route", "show", "table", "all")),
  policies: ofBoth((family) => ip(family, "rule", "show")),
};

/** Of what is around the gateway (host.ts). */
export const HOST = {
  managers: unitsQuestion(Object.values(MANAGERS)),
  sysctlFiles: [Program.systemdSysctl, "--cat-config"],
  processes: [Program.ps, "-eo", "pid=,stat=,args="],
  neighbours: ip("inet6", "neigh", "show"),
};

type Questions = Record<string, string[] | Record<Family, string[]>>;

/** One after the other. */
export const listed = (questions: Questions): string[][] =>
  Object.values(questions).flatMap((q) => Array.isArray(q) ? [q] : Object.values(q));
