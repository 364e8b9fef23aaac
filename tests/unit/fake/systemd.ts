/** A fake systemd: reads the unit files that are really there and runs their lines against the fake machine. */

import { type Answer, ok, refused } from "./answer.ts";

interface Unit {
  active: "active" | "inactive" | "failed";
  enabled: boolean;
  masked?: boolean;
  since: number;
  pid: number;
  /** What systemd read when it last read the unit; undefined when it has not. */
  loaded?: string;
}

export interface UnitHost {
  /** Text of a file of the machine, undefined when there is none. */
  read(path: string): string | undefined;
  run(argv: string[]): Promise<Answer>;
  /** A service's main process starts or ends. @returns false when it dies at once */
  daemon(unit: string, starts: boolean): boolean;
}

const FOLDERS = ["/etc/systemd/system", "/usr/lib/systemd/system"];

export class FakeSystemd {
  units = new Map<string, Unit>();
  private pids = 100;

  constructor(private readonly host: UnitHost) {}

  /** All that a unit's files say: its own, or its template's, and our drop-in. */
  private text(unit: string): string | undefined {
    const template = unit.replace(/@.*\./, "@.");
    const own = [unit, template].flatMap((u) => FOLDERS.map((f) => `${f}/${u}`)).map((p) => this.host.read(p));
    const found = own.find((t) => t !== undefined);
    if (found === undefined) return undefined;
    return `${found}\n${this.host.read(`${FOLDERS[0]}/${unit}.d/50-crxn.conf`) ?? ""}`;
  }

  unit(name: string): Unit {
    const there = this.units.get(name);
    if (there) return there;
    const made: Unit = { active: "inactive", enabled: false, since: 0, pid: 0 };
    this.units.set(name, made);
    return made;
  }

  async run(argv: string[]): Promise<Answer> {
    const words = argv.filter((w) => w !== "--quiet");
    const [verb] = words;
    const names = words.slice(1).filter((w) => !w.startsWith("--"));
    const now = words.includes("--now");
    switch (verb) {
      case "show":
        return ok(names.map((n) => this.show(n)).join("\n"));
      case "daemon-reload":
        this.reload();
        return ok();
    }
    for (const name of names) {
      const answer = await this.verb(verb!, name, now);
      if (answer.code !== 0) return answer;
    }
    // These end with a reload, whatever they have changed.
    if (/^((en|dis)able|(un)?mask)$/.test(verb!)) this.reload();
    return ok();
  }

  private reload(): void {
    for (const [name, unit] of this.units) if (unit.loaded !== undefined) this.load(name, unit);
  }

  private async verb(verb: string, name: string, now: boolean): Promise<Answer> {
    const unit = this.unit(name);
    const there = unit.loaded ?? this.text(name);
    switch (verb) {
      case "mask":
        unit.masked = true;
        return ok();
      case "unmask":
        unit.masked = false;
        return ok();
      case "reset-failed":
        if (there === undefined) return refused(`Unit ${name} not loaded.`, 1);
        if (unit.active === "failed") unit.active = "inactive";
        return ok();
      case "enable":
        if (this.text(name) === undefined) return refused(`Unit file ${name} does not exist.`, 1);
        unit.enabled = true;
        return ok();
      case "disable":
        if (this.text(name) === undefined) return refused(`Unit file ${name} does not exist.`, 1);
        unit.enabled = false;
        if (now) this.stop(name);
        return ok();
      case "start":
        return await this.start(name);
      case "stop":
        if (there === undefined) return refused(`Unit ${name} not loaded.`, 5);
        this.stop(name);
        return ok();
      case "restart":
        this.stop(name);
        return await this.start(name);
    }
    throw new Error(`The fake systemctl does not know ${verb}`);
  }

  private load(name: string, unit: Unit): void {
    const text = this.text(name);
    if (text === undefined) delete unit.loaded;
    else unit.loaded = text;
  }

  async start(name: string): Promise<Answer> {
    const unit = this.unit(name);
    if (unit.active === "active") return ok();
    // An inactive unit is not kept in memory: its file is read now.
    this.load(name, unit);
    if (unit.loaded === undefined) return refused(`Unit ${name} not found.`, 5);
    if (unit.masked) return refused(`Unit ${name} is masked.`, 1);
    const lines = unit.loaded.replaceAll("\\\n", "").split("\n");
    const wants = (key: string) =>
      lines.filter((l) => l.startsWith(`${key}=`)).flatMap((l) => l.slice(key.length + 1).split(" "));
    for (const needed of wants("Requires")) {
      const answer = await this.start(needed);
      if (answer.code !== 0) return answer;
    }
    for (const wanted of wants("Wants")) await this.start(wanted);
    const oneshot = lines.includes("Type=oneshot");
    for (const line of lines.filter((l) => /^ExecStart(Pre)?=/.test(l))) {
      const [, key, prefix, command] = /^(ExecStart(?:Pre)?)=([-+]*)(.*)$/.exec(line)!;
      if (key === "ExecStart" && !oneshot) continue;
      const answer = await this.exec(command!.replaceAll("%i", /@(.*)\./.exec(name)?.[1] ?? ""));
      if (answer.code !== 0 && !prefix!.includes("-")) {
        unit.active = "failed";
        return refused(`Job for ${name} failed: ${command}: ${answer.stderr}`, 1);
      }
    }
    if (!oneshot && lines.some((l) => l.startsWith("ExecStart=")) && !this.host.daemon(name, true)) {
      unit.active = "failed";
      // Type=simple: the job is done before the process can fail.
      return ok();
    }
    Object.assign(unit, { active: "active", since: Date.now(), pid: ++this.pids });
    return ok();
  }

  /** A line of a unit. The only shell is that of the firewall: "put the jump in unless it is there". */
  private async exec(line: string): Promise<Answer> {
    const unescaped = line.replaceAll("%%", "%").replaceAll("$$", "$");
    const [, script] = /^\/bin\/sh -ec 'jump\(\) \{[^}]*\}; +(.*)'$/.exec(unescaped) ?? [];
    if (script === undefined) return await this.host.run(unescaped.split(" "));
    for (const command of script.split(/; +/)) {
      const answer = command.startsWith("jump ") ? await this.jump(command) : await this.host.run(command.split(" "));
      if (answer.code !== 0) return answer;
    }
    return ok();
  }

  private async jump(command: string): Promise<Answer> {
    const [, program, table, from] = command.split(" ") as [string, string, string, string];
    const to = ["-m", "comment", "--comment", "crxn:jump", "-j", `CRXN-${from}`];
    const first = await this.host.run([program, "-w", "-t", table, "-C", from, ...to]);
    return first.code === 0 ? first : await this.host.run([program, "-w", "-t", table, "-I", from, "1", ...to]);
  }

  stop(name: string): void {
    const unit = this.unit(name);
    if (unit.active === "active") this.host.daemon(name, false);
    Object.assign(unit, { active: "inactive", pid: 0 });
    // What requires it goes with it.
    for (const [other, { loaded, active }] of this.units) {
      if (active === "active" && loaded?.split("\n").includes(`Requires=${name}`)) this.stop(other);
    }
  }

  /** Power off and on: what is enabled starts. */
  async boot(): Promise<void> {
    for (const unit of this.units.values()) {
      Object.assign(unit, { active: "inactive", since: 0, pid: 0, masked: false });
      delete unit.loaded;
    }
    for (const [name, { enabled }] of [...this.units]) if (enabled) await this.start(name);
  }

  private show(name: string): string {
    const unit = this.unit(name);
    const text = this.text(name);
    const since = unit.since
      ? `Mon ${new Date(unit.since).toISOString().replace("T", " ").replace("Z", "000 UTC")}`
      : "";
    return [
      `Id=${name}`,
      `Names=${name}`,
      `LoadState=${unit.masked ? "masked" : unit.loaded === undefined && text === undefined ? "not-found" : "loaded"}`,
      `ActiveState=${unit.active}`,
      `SubState=${unit.active === "active" ? "running" : "dead"}`,
      `UnitFileState=${text === undefined ? "" : unit.enabled ? "enabled" : "disabled"}`,
      `ExecMainStartTimestamp=${since}`,
      `MainPID=${unit.pid}`,
      "NRestarts=0",
      "FragmentPath=",
      `NeedDaemonReload=${unit.active === "active" && unit.loaded !== text ? "yes" : "no"}`,
      "Result=success",
      "",
    ].join("\n");
  }
}
