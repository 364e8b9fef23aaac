/** Units that bring everything back at boot, rendered from the same items that `up` makes. Pure. */

import linkScript from "../assets/link.sh" with { type: "text" };
import firewallUnit from "../assets/units/crxn-firewall.service" with { type: "text" };
import linkUnit from "../assets/units/crxn-link.service" with { type: "text" };
import overlayUnit from "../assets/units/crxn-overlay.service" with { type: "text" };
import translatorUnit from "../assets/units/tayga@.service" with { type: "text" };
import sandboxText from "../assets/units/sandbox.conf" with { type: "text" };
import insteadDropIn from "../assets/units/instead.conf" with { type: "text" };
import yggdrasilDropIn from "../assets/units/yggdrasil.conf" with { type: "text" };
import { Program } from "./action.ts";
import {
  bootCommands,
  chainTransaction,
  iptablesOf,
  jumpRule,
  restoreArgv,
  routeQuestion,
  steerCommand,
  type UnitCommand,
} from "./commands.ts";
import { type ChainItem, type Family, type FileItem, fileItem, type Item, ownChain, type TableItem } from "./item.ts";
import { type HandWork, LISTS } from "./hand_work.ts";
import { dropInPath, HEADER, instanceDropInPath, Path, Unit, unitPath } from "./names.ts";
import { toldWithoutFamily } from "./rows.ts";
import { fill } from "./template.ts";

/** A line for systemd: `%` starts a specifier and `$` a variable there, so both are doubled (systemd.service(5)). */
const execLine = (key: string, argv: string[], mayFail = false, prefix = "") =>
  `${key}=${prefix}${mayFail ? "-" : ""}${argv.join(" ").replaceAll("%", "%%").replaceAll("$", "$$$$")}`;

/** What every unit of ours does without: systemd.exec(5). */
const sandbox = sandboxText.trimEnd();

/** So many routes and addresses have a line each: systemd takes some 40 ms for each of its lines. */
const FEW = 16;

/** The longest row of things that are all so, and where it begins. */
function longest<T>(things: T[], is: (thing: T) => boolean): { first: number; row: T[] } {
  let best = { first: 0, row: [] as T[] };
  for (let first = 0; first < things.length; first++) {
    let end = first;
    while (end < things.length && is(things[end]!)) end++;
    if (end - first > best.row.length) best = { first, row: things.slice(first, end) };
    first = end;
  }
  return best;
}

/** Kernel parameters in a row are one command: sysctl(8) goes on with the next where one cannot be set. */
function together(commands: UnitCommand[]): UnitCommand[] {
  const rows: UnitCommand[] = [];
  for (const command of commands) {
    const [last, words] = [rows.at(-1), command.argv.slice(3)];
    const isNext = command.argv[0] === Program.sysctl && last?.argv[0] === Program.sysctl &&
      last.mayFail === command.mayFail;
    if (isNext) last.argv.push(...words);
    else rows.push({ ...command, argv: [...command.argv] });
  }
  return rows;
}

/** What a unit makes at its start; many routes and addresses in a row are a file for one call of ip(8). */
function boot(key: string, all: UnitCommand[], batch: string, prefix = ""): { lines: string; files: FileItem[] } {
  const commands = together(all);
  const alone = (argv: string[], mayFail?: boolean) => execLine(key, argv, mayFail, prefix);
  const lines = commands.length > FEW
    ? commands.map(({ argv, mayFail }) => mayFail ? undefined : toldWithoutFamily(argv))
    : [];
  const { first, row } = longest(lines, (line) => line !== undefined);
  if (row.length <= FEW) {
    return { lines: commands.map(({ argv, mayFail }) => alone(argv, mayFail)).join("\n"), files: [] };
  }
  return {
    lines: [
      ...commands.slice(0, first).map(({ argv, mayFail }) => alone(argv, mayFail)),
      alone([Program.ip, "-batch", batch]),
      ...commands.slice(first + row.length).map(({ argv, mayFail }) => alone(argv, mayFail)),
    ].join("\n"),
    files: [fileItem(batch, [`# ${HEADER}`, ...row, ""].join("\n"))],
  };
}

/**
 * /etc/crxn/rules.v4 and .v6, for iptables-restore -n, and the unit that loads them: by one shell, for systemd takes as long for
 * each of a unit's commands, with its sandbox, as all of them together.
 */
export function firewallFiles(chains: ChainItem[], before: string[], table?: TableItem): FileItem[] {
  if (chains.length === 0) return [];
  const families = (["inet", "inet6"] as Family[]).filter((f) => chains.some((c) => c.family === f));
  const files = families.map((family) =>
    fileItem(
      Path.rules[family],
      `# ${HEADER}\n` + chains.filter((c) => c.family === family).map((c) => chainTransaction(c, false)).join(""),
    )
  );
  const commands = [
    JUMP,
    ...families.flatMap((family) => [
      [...restoreArgv(family), Path.rules[family]].join(" "),
      ...chains.filter((c) => c.family === family).map((c) => `jump ${iptablesOf(family)} ${c.table} ${c.from}`),
    ]),
    ...(table ? [[Program.nft, "-f", table.file].join(" ")] : []),
  ];
  const lines = `ExecStart=/bin/sh -ec '${commands.join("; \\\n    ")}'`;
  const text = fill(firewallUnit, { header: HEADER, before: before.join(" "), lines, sandbox });
  return [...files, fileItem(unitPath(Unit.firewall), text, { unit: true })];
}

/**
 * Program, table and chain: puts the jump to ours in unless it is there. A shell, for iptables has no word for "unless"; nothing in
 * it is of the config. For systemd each `$` is doubled.
 */
const JUMP = (() => {
  const words = jumpRule({ chain: ownChain("$$3") }).join(" ");
  return `jump() { $$1 -w -t $$2 -C $$3 ${words} 2>/dev/null || $$1 -w -t $$2 -I $$3 1 ${words}; }`;
})();

export function overlayUnitFiles(items: Item[], daemon: string | undefined): FileItem[] {
  const { lines, files } = boot("ExecStart", items.flatMap((i) => bootCommands(i, true)), Path.overlayBatch);
  const text = fill(overlayUnit, {
    header: HEADER,
    order: daemon ? `\nBefore=${daemon}` : " network.target",
    lines,
    sandbox,
  });
  return [...files, fileItem(unitPath(Unit.overlay), text, { unit: true })];
}

/**
 * What puts address and routes on a link of somebody else whenever it comes up. A shell script, for only a program can
 * wait for the kernel's word; interface names, addresses and networks are validated to what no shell and no systemd reads
 * anything into.
 */
export function linkFiles(link: string, items: Item[]): FileItem[] {
  const unit = fill(linkUnit, { header: HEADER, link, overlay: Unit.overlay, script: Path.linkScript, sandbox });
  const script = fill(linkScript, { header: HEADER, link, unit: Unit.link, lines: items.map(linkLine).join("\n") });
  return [fileItem(Path.linkScript, script), fileItem(unitPath(Unit.link), unit, { unit: true })];
}

function linkLine(item: Item): string {
  const command = bootCommands(item).map(({ argv }) => argv.join(" ")).join(" && ");
  if (item.kind !== "route") return `\t${command} || failed=yes`;
  return `\t[ -n "$(${routeQuestion(item).join(" ")})" ] ||\n\t\t${command} || failed=yes`;
}

/**
 * @param items what this unit makes before its daemon starts
 * @param handWork what drop-ins of others do of it, by unit
 */
export function translatorUnitFiles(
  instance: string,
  items: Item[],
  handWork: Record<string, HandWork> = {},
): FileItem[] {
  const { lines, files } = boot(
    "ExecStartPre",
    items.flatMap((i) => i.kind === "link" ? [...bootCommands(i), steerCommand(i.name)] : bootCommands(i)),
    Path.translatorBatch(instance),
    "+",
  );
  const text = fill(translatorUnit, {
    header: HEADER,
    overlay: Unit.overlay,
    firewall: Unit.firewall,
    lines,
    sandbox,
  });
  const unit = Unit.translator(instance);
  const work = handWork[unit];
  return [
    ...files,
    fileItem(unitPath(unit), text, { unit: true }),
    ...(work ? [insteadOf(work, unit, lines)] : []),
  ];
}

/** A drop-in behind those of others, which stay as they are: the lists of commands begin anew, with crxn's. */
function insteadOf({ paths, taken, kept }: HandWork, unit: string, lines: string): FileItem {
  const text = fill(insteadDropIn, {
    header: HEADER,
    paths: paths.join("\n# "),
    taken: taken.join("\n#   "),
    empty: LISTS.map((key) => `${key}=`).join("\n"),
    lines,
    kept: kept.join("\n"),
  });
  return fileItem(instanceDropInPath(unit), text, { unit: true });
}

/** @param daemon another one than Debian's runs in the same unit: same user, same sandbox, same config */
export function yggdrasilDropInFile(device: string, daemon: string): FileItem {
  const command = execLine("ExecStart", [daemon, "-useconffile", Path.yggdrasilConfig]);
  const text = fill(yggdrasilDropIn, {
    header: HEADER,
    overlay: Unit.overlay,
    interface: device,
    sandbox,
    daemon: daemon === Program.yggdrasil
      ? ""
      : `# An empty ExecStart takes Debian's daemon out.\nExecStart=\n${command}`,
  });
  return fileItem(dropInPath(Unit.yggdrasil), text, { unit: true });
}
