/**
 * crxn that dies: the real `main`, to which something happens at a change of the machine that is named by its number.
 *
 * CRXN_CHANGES=FILE   writes a line for each change, in order, before it is made; the first is number 0
 * CRXN_AT=N           it happens right before change N, which is right after change N-1
 * CRXN_AT=N+          it happens while the program that is change N, or else the next program, runs
 * CRXN_BY=SIGNAL      what happens: it gets that signal; default SIGKILL. `failure`: the program fails, and does nothing
 */

import { main } from "../../main.ts";
import {
  type Held,
  type HoldOptions,
  type Result,
  type Runner,
  type RunOptions,
  SystemRunner,
} from "../../machine/run.ts";

const [, number, during] = /^(\d+)(\+?)$/.exec(Deno.env.get("CRXN_AT") ?? "") ?? [];
const log = Deno.env.get("CRXN_CHANGES");
const at = number === undefined ? Infinity : Number(number);
let count = 0;
/** It happens once: what crxn does about it is to be seen. */
let struck = false;

const by = Deno.env.get("CRXN_BY") ?? "SIGKILL";
const die = () => Deno.kill(Deno.pid, by as Deno.Signal);

/** Called before each change. @returns whether it happens in its midst, if that is a program */
function change(what: string): boolean {
  // In the midst of a program: where the changes are one more or less this time, of the next one.
  const mine = during === "+" ? count++ >= at && !struck : count++ === at;
  if (mine && during !== "+" && by !== "failure") die();
  if (log) writeLine(log, what);
  return mine;
}

const open = Deno.openSync;
function writeLine(path: string, text: string): void {
  using file = open(path, { append: true, create: true });
  file.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** What only asks. Whatever is not known here is taken for a change: one death too many proves no less. */
function asks([program = "", ...args]: string[]): boolean {
  const name = program.replace(/.*\//, "");
  switch (name) {
    case "ip":
      return args.some((word) => ["show", "get", "-j", "-V"].includes(word));
    case "systemctl":
      return args.some((word) => /^(show|cat|is-.*|list-.*)$/.test(word));
    case "sysctl":
      return !args.includes("-w");
    case "iptables":
    case "ip6tables":
      return args.some((word) => ["-C", "-S", "-L", "-V", "--version"].includes(word));
    case "nft":
      return args.includes("list");
    case "tayga":
      return !args.some((word) => ["--mktun", "--rmtun"].includes(word));
    case "yggdrasilctl":
      return args.some((word) => /^(get|list)/.test(word));
    case "apt-get":
      return args.includes("--simulate") || args.includes("-s");
    default:
      return /^(ip6?tables(-legacy|-nft)?-save|systemd-sysctl|journalctl|dpkg(-query|-deb)?|ping|yggdrasil|df|ps|grep|uname|cat|networkctl|nmcli|systemd-analyze|unshare|nsenter|setpriv|getent|bash|timeout)$/
        .test(name);
  }
}

/** A batch of ip(8), and several units enabled or disabled at once. */
const isOfMany = ([, ...args]: string[]): boolean =>
  args.includes("-batch") || (/^(enable|disable)$/.test(args[1] ?? "") && args.length > 3);

class MortalRunner implements Runner {
  readonly #runner = new SystemRunner();

  async run(argv: string[], options?: RunOptions): Promise<Result> {
    if (asks(argv)) return await this.#runner.run(argv, options);
    const midst = change(argv.join(" "));
    // What crxn tries once more by itself, because it failed as one of many, fails then as well.
    if (midst) struck = by !== "failure" || !isOfMany(argv);
    if (midst && by === "failure") return { argv, code: 1, stdout: "", stderr: "made to fail\n" };
    const result = this.#runner.run(argv, options);
    if (midst && during === "+") {
      // It has been started, and has what it reads.
      await new Promise((resolve) => setTimeout(resolve, 5));
      die();
    }
    return await result;
  }

  start = (argv: string[], options?: HoldOptions): Held | undefined => this.#runner.start(argv, options);

  detach = (): void => this.#runner.detach();
}

/** Files that come and go with every run, and what is below /proc. */
const isChange = (path: string | URL) => !/^\/(proc|sys|dev)\/|^\/run\/(crxn\.lock|crxn-deno)/.test(String(path));

const { mkdir, rename, remove, utime, open: openFile } = Deno;
const { write, truncate } = Deno.FsFile.prototype;
const paths = new WeakMap<Deno.FsFile, string>();

Object.assign(Deno, {
  mkdir: (async (path, options) => {
    if (!await Deno.stat(path).then(() => true, () => false)) change(`mkdir ${path}`);
    return await mkdir(path, options);
  }) satisfies typeof Deno.mkdir,
  rename: (async (from, to) => {
    change(`rename ${from} ${to}`);
    return await rename(from, to);
  }) satisfies typeof Deno.rename,
  remove: (async (path, options) => {
    if (await Deno.lstat(path).then(() => true, () => false)) change(`remove ${path}`);
    return await remove(path, options);
  }) satisfies typeof Deno.remove,
  utime: (async (path, ...times) => {
    change(`utime ${path}`);
    return await utime(path, ...times);
  }) satisfies typeof Deno.utime,
  open: (async (path, options) => {
    const makes = (options?.create || options?.createNew) && !await Deno.lstat(path).then(() => true, () => false);
    if (makes && isChange(path)) change(`create ${path}`);
    const file = await openFile(path, options);
    if (options?.write && isChange(path)) paths.set(file, String(path));
    return file;
  }) satisfies typeof Deno.open,
});
Deno.FsFile.prototype.write = async function (bytes) {
  const path = paths.get(this);
  if (path !== undefined) change(`write ${path}`);
  return await write.call(this, bytes);
};
Deno.FsFile.prototype.truncate = async function (length) {
  const path = paths.get(this);
  if (path !== undefined) change(`truncate ${path}`);
  return await truncate.call(this, length);
};

const code = await main(Deno.args, new MortalRunner());
// Right after the last change.
if (count === at) die();
Deno.exit(code);
