import type { Snapshot } from "./snapshot.ts";

/** Whether a line of a section is due to packages that came in between, and nothing else. */
export type Packaged = (section: string, line: string, added: boolean) => boolean;

// Written by every package that brings a user, a shared library or an alternative.
const SHARED = /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid|ld\.so\.cache|mailcap) /;

// What maintainer scripts make, without dpkg knowing.
const SCRIPTED: Record<string, string> = { "/etc/networks": "netbase", "/etc/yggdrasil": "yggdrasil" };

/** Tells the lines that the packages which only `after` has brought with them. */
export function packagedIn(before: Snapshot, after: Snapshot): Packaged {
  const had = new Set(before.packages.map(nameOf));
  const fresh = new Set(after.packages.map(nameOf).filter((name) => !had.has(name)));
  if (fresh.size === 0) return () => false;
  const isFresh = (path: string) => {
    const owners = after.owners.get(path) ?? after.owners.get(path.replace(/^\/lib\//, "/usr/lib/"));
    return owners !== undefined && owners.every((owner) => fresh.has(owner));
  };
  const units = new Set([...after.owners.keys()].filter(isFresh).flatMap(unitOf));
  const links = new Map(
    after.sections.files?.flatMap((line) => {
      const link = /^(.+) link -> (.*)$/.exec(line);
      return link ? [[link[1]!, absolute(link[1]!, link[2]!)] as const] : [];
    }),
  );
  /** Whether what a link leads to, perhaps through more links, came with a package. */
  const isPackaged = (path: string, depth = 0): boolean => {
    const target = links.get(path);
    if (isFresh(path) || fresh.has(SCRIPTED[path] ?? "")) return true;
    if (target === undefined || depth > 5) return false;
    // Programs are not in the list of owners, but only packages put alternatives in place.
    if (path.startsWith("/etc/alternatives/") && target.startsWith("/usr/")) return true;
    return units.has(target.slice(target.lastIndexOf("/") + 1)) || isPackaged(target, depth + 1);
  };
  return (section, line, added) => {
    if (section === "unitFiles") return added && units.has(line.split(" ")[0]!);
    if (section === "users") return added && isSystemUser(line);
    if (section !== "files") return false;
    if (SHARED.test(line)) return true;
    const path = line.replace(/ (file|link|directory|type) .*$/, "");
    if (!added) return false;
    if (isPackaged(path)) return true;
    // A directory that holds nothing but what packages brought.
    const inside = after.sections.files!.filter((other) => other.startsWith(`${path}/`));
    return / directory /.test(line) && inside.length > 0 &&
      inside.every((other) => / directory /.test(other) || isPackaged(other.replace(/ (file|link|type) .*$/, "")));
  };
}

/** The units of a package's file: a unit file's own name, or what systemd makes of a SysV script. */
function unitOf(path: string): string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (path.startsWith("/etc/init.d/")) return [`${name}.service`];
  return path.includes("/systemd/system/") ? [name] : [];
}

/** "name:uid:gid:home:shell" or "name:gid:members" of a system account. */
function isSystemUser(line: string): boolean {
  return Number(line.split(":")[1]) < 1000;
}

function nameOf(packageLine: string): string {
  return packageLine.split(" ")[0]!;
}

function absolute(link: string, target: string): string {
  return new URL(target, `file://${link}`).pathname;
}
