import type { Place } from "./place.ts";
import { jsonSection, nftSection, saveSection } from "./snapshot_network.ts";
import { packagedIn } from "./snapshot_packages.ts";
import script from "./snapshot.sh" with { type: "text" };
import { unitFileLines, unitLines } from "./snapshot_units.ts";

/** What a machine is, in sorted lines by section. Two snapshots of an unchanged machine are equal. */
export interface Snapshot {
  /** What is compared: links, addresses, routes, rules, firewall, sysctls, units, files, users. */
  sections: Record<string, string[]>;
  /** Installed packages, "name version"; not compared. */
  packages: string[];
  /** For each path below /etc and each unit file, the packages that own it; not compared. */
  owners: Map<string, string[]>;
}

/** How two snapshots are compared. */
export interface DiffOptions {
  /**
   * Leaves aside what packages that only `after` has brought with them: their files and conffiles, links to those
   * (alternatives, rc.d, wants), their unit files, system users. A unit of theirs that runs is still a difference.
   */
  ignoreInstalledPackages?: boolean;
  /** Leaves aside lines that match, each given as "SECTION: LINE". */
  ignore?: RegExp[];
}

// Settings that are no settings: secrets of the boot, counters, what the kernel has loaded by now.
const VOLATILE_SYSCTL =
  /^net\.(ipv4\.tcp_fastopen_key|ipv[46]\.route\.flush|core\.netdev_rss_key|ipv6\.conf\.\S+\.stable_secret|ipv4\.tcp_available_(congestion_control|ulp)) /;
// The test's own config, and what systemd and libc keep for themselves.
const FOREIGN_FILE = /^\/etc\/(crxn(\/.*)?|\.updated|resolv\.conf|mtab|ld\.so\.cache|machine-id|\.pwd\.lock|[\w-]+-)$/;

/** Reads the machine in one go. It does not change it, not even by having the kernel make empty tables. */
export async function snapshot(machine: Place): Promise<Snapshot> {
  const text = await machine.must(["sh", "-c", script]);
  const raw = new Map(
    text.split(/^=== /m).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end), part.slice(end + 1).trim()];
    }),
  );
  const of = (name: string) => raw.get(name) ?? "";
  const lines = (name: string) => of(name).split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const sections: Record<string, string[]> = {};
  for (const name of ["links", "addresses", "routes4", "routes6", "rules4", "rules6", "nexthops"]) {
    sections[name] = jsonSection(name, of(name));
  }
  sections.neighbours = lines("neighbours");
  for (const name of ["iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"]) {
    sections[name] = saveSection(of(`${name}-save`));
  }
  sections.nftables = nftSection(of("nftables"));
  sections.sysctls = lines("sysctls").filter((line) => !VOLATILE_SYSCTL.test(line));
  sections.unitFiles = unitFileLines(lines("unit-files"));
  sections.units = unitLines(lines("units"));
  sections.files = fileLines(lines("files"), lines("sums"));
  sections.users = lines("users");
  for (const [name, list] of Object.entries(sections)) {
    // The order of rules is what they mean; everything else is a set.
    if (!/tables/.test(name)) list.sort();
  }
  const owners = new Map<string, string[]>();
  for (const line of lines("owned")) {
    const [, owner, path] = /^\S+\/([^/:]+)(?::\w+)?\.list:(.*)$/.exec(line) as unknown as [string, string, string];
    owners.set(path, [...owners.get(path) ?? [], owner]);
  }
  const installed = lines("packages").filter((line) => line.startsWith("ii "));
  return { sections, packages: installed.map((line) => line.slice(3).trim()).sort(), owners };
}

/** What differs, as "-" and "+" lines under their sections; empty when the two are equal. */
export function diffSnapshots(before: Snapshot, after: Snapshot, options: DiffOptions = {}): string {
  const packaged = options.ignoreInstalledPackages ? packagedIn(before, after) : () => false;
  const text: string[] = [];
  for (const section of Object.keys(after.sections)) {
    const [was, is] = [before.sections[section] ?? [], after.sections[section] ?? []];
    const changed = [
      ...without(was, is).map((line) => ({ sign: "-", line })),
      ...without(is, was).map((line) => ({ sign: "+", line })),
    ].filter(({ sign, line }) =>
      !packaged(section, line, sign === "+") && !options.ignore?.some((pattern) => pattern.test(`${section}: ${line}`))
    );
    // The same rules in another order are a difference too.
    const moved = changed.length === 0 && /tables/.test(section) && !options.ignore &&
      !options.ignoreInstalledPackages && was.join("\n") !== is.join("\n");
    if (moved) changed.push(...is.map((line) => ({ sign: "~", line })));
    if (changed.length > 0) text.push(`${section}:`, ...changed.map(({ sign, line }) => `  ${sign} ${line}`));
  }
  return text.join("\n");
}

/** The lines of `list` that are not in `other`, as often as they are there too many. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const line of other) count.set(line, (count.get(line) ?? 0) + 1);
  return list.filter((line) => {
    const left = count.get(line) ?? 0;
    count.set(line, left - 1);
    return left <= 0;
  });
}

/** "PATH file 644 0:0 sha256" for every file, "PATH link -> TARGET", "PATH directory 755 0:0". */
function fileLines(files: readonly string[], sums: readonly string[]): string[] {
  const sumOf = new Map(sums.map((line) => [line.slice(66), line.slice(0, 64)]));
  return files.flatMap((line) => {
    const [, type, mode, owner, path, target] = /^(\S) (\S+) (\S+) (.*) ->(?: (.*))?$/.exec(line) ?? [];
    if (path === undefined || FOREIGN_FILE.test(path)) return [];
    if (type === "l") return [`${path} link -> ${target}`];
    if (type === "d") return [`${path} directory ${mode} ${owner}`];
    return [`${path} ${type === "f" ? "file" : `type ${type}`} ${mode} ${owner} ${sumOf.get(path) ?? ""}`.trimEnd()];
  });
}
