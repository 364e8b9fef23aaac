/** What a fault of a survey is, and what most of them are made of. */

import type { Reach } from "../../../checks/probe_result.ts";
import type { CheckInput } from "../../../checks/check.ts";
import type { Survey } from "../../../gateway/survey.ts";
import { type Options, SECOND, type Setup } from "./builder.ts";

export interface Fault {
  name: string;
  setup?: Setup;
  options?: Options;
  check: string;
  make(survey: Survey, input: CheckInput): void;
}

export const unit = (survey: Survey, name: string) => survey.units[name]!;
export const link = (survey: Survey, name: string) => survey.links.find((l) => l.name === name)!;
export const dropRoutes = (survey: Survey, which: (r: Survey["routes"][number]) => boolean) => {
  survey.routes = survey.routes.filter((r) => !which(r));
};
export const stop = (name: string, how = { active: "inactive", sub: "dead" }) => (s: Survey) =>
  Object.assign(unit(s, name), how);
export const looping = { active: "activating", sub: "auto-restart", restarts: 80, result: "exit-code" };
export const edit = (path: string, add = "\n# edited\n") => (s: Survey) => {
  s.files[path]!.content += add;
};
/** As an editor leaves it: other words, and nothing else. */
export const changed = (s: Survey, path: string, how: (text: string) => string) => {
  const file = s.files[path]!;
  const text = how(file.content!);
  if (text === file.content) throw new Error(`Nothing of ${path} was changed: ${text}`);
  file.content = text;
};
export const remove = (path: string) => (s: Survey) => {
  s.files[path] = null;
};
/** The kernel takes a device's routes when it goes down. */
export const down = (name: string) => (s: Survey) => {
  link(s, name).up = false;
  dropRoutes(s, (r) => r.device === name && r.type === "unicast");
};
export const gone = (name: string) => (s: Survey) => {
  down(name)(s);
  s.links = s.links.filter((l) => l.name !== name);
};
/** With what the kernel keeps for it. */
export const goneWhole = (name: string) => (s: Survey) => {
  gone(name)(s);
  for (const key of Object.keys(s.sysctls)) if (key.includes(name)) delete s.sysctls[key];
};
export const TUNNEL = "crxn-6fa49781";
export const SECOND_TUNNEL = `crxn-${SECOND.slice(0, 8)}`;
export const NAT64 = "nat64-ygg";

/** As the far nodes answer, in order. */
export const reachOf = ({ blueprint }: CheckInput, received: number[], foreign = false): Reach[] =>
  blueprint.nodes.map(({ key, address, networks }, i) => ({
    key,
    address,
    networks,
    received: received[i] ?? 0,
    foreign,
    command: ["/usr/bin/ping", address],
    output: "",
  }));
