/** A blueprint moved into a folder: the same items, with the daemons' files out of everybody's way. Pure. */

import type { Blueprint } from "./blueprint.ts";
import { Program } from "./action.ts";
import { daemonPath } from "./daemon.ts";
import type { FileItem, Item } from "./item.ts";
import { instanceOf, Path, Unit } from "./names.ts";

/** What is made by commands in a namespace. Packages are brought before, units are for machines that boot. */
const MADE = ["sysctl", "chain", "table", "link", "address", "route"];

export interface Service {
  /** The unit's name without ".service". */
  name: string;
  /** The unit's ExecStart, with paths in the folder. */
  argv: string[];
  /** What its unit does in front of each further start. */
  before?: string[][];
}

export interface Relocated {
  /** In the order in which they are made. */
  items: Item[];
  /** The daemons' own configs. */
  files: FileItem[];
  /** Folders that the units' StateDirectory or packages would have made. */
  folders: string[];
  overlay?: Service;
  translators: Service[];
}

export const adminSocket = (folder: string): string => `${folder}/yggdrasil.sock`;

/** @param folder absolute, for one machine alone: also yggdrasil's admin socket and tayga's data live in it */
export function relocate({ items, config }: Blueprint, folder: string): Relocated {
  const daemon = config.overlay.type === "yggdrasil" ? daemonPath(config.overlay.daemon) : Program.yggdrasil;
  const instances = items.flatMap((i) => i.kind === "service" ? instanceOf(i.unit) ?? [] : []);
  const overlay = items.some((i) => i.kind === "service" && i.unit === Unit.yggdrasil);
  const configs = [...(overlay ? [Path.yggdrasilConfig] : []), ...instances.map(Path.taygaConfig)];
  return {
    items: items.filter((i) => MADE.includes(i.kind)).map((i) => moved(i, folder)),
    files: items.filter((i): i is FileItem => i.kind === "file" && configs.includes(i.path)).map((f) => ({
      ...f,
      path: folder + f.path,
      mode: 0o600,
      content: f.content
        .replaceAll("/var/lib/tayga/", `${folder}/var/lib/tayga/`)
        .replaceAll("/var/run/yggdrasil/yggdrasil.sock", adminSocket(folder)),
    })),
    folders: instances.map((i) => `${folder}/var/lib/tayga/${i}`),
    ...(overlay
      ? {
        overlay: {
          name: "yggdrasil",
          argv: [daemon, "-useconffile", folder + Path.yggdrasilConfig],
          before: [[Program.ip, "-6", "address", "flush", "dev", config.overlay.interface, "scope", "global"]],
        },
      }
      : {}),
    translators: instances.map((i) => ({
      name: `tayga@${i}`,
      argv: [Program.tayga, "--nodetach", "--config", folder + Path.taygaConfig(i)],
    })),
  };
}

function moved(item: Item, folder: string): Item {
  return item.kind === "link" && item.spec.type === "translator"
    ? { ...item, spec: { ...item.spec, config: folder + item.spec.config } }
    : item;
}
