/** Devices that go on under another name. Pure. */

import { Program } from "../gateway/action.ts";
import type { CheckInput } from "./check.ts";

/** Which device has the address that a lost one had, if nothing else explains it there. */
export function renamedTo(name: string, { blueprint, survey }: CheckInput): string | undefined {
  const addresses = blueprint.items.flatMap((i) => i.kind === "address" ? [i] : []);
  const own = addresses.filter((a) => a.device === name).map((a) => a.address);
  return survey.links.find((l) =>
    l.name !== name && !addresses.some((a) => a.device === l.name) && l.addresses.some((a) => own.includes(a.address))
  )?.name;
}

/** The commands that give it its name again. Kernels before 6.2 rename only what is down. */
export const renaming = (now: string, name: string): string[][] => [
  [Program.ip, "link", "set", "dev", now, "down"],
  [Program.ip, "link", "set", "dev", now, "name", name],
  [Program.ip, "link", "set", "dev", name, "up"],
];
