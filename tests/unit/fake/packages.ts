/** Packages of a fake Debian: apt-get(8), and what some bring with them. */

import { type Answer, ok } from "./answer.ts";
import type { FakeSystemd } from "./systemd.ts";

const YGGDRASIL_UNIT = `[Unit]
Wants=network-online.target
[Service]
Type=simple
ExecStart=/usr/sbin/yggdrasil -useconffile /etc/yggdrasil/yggdrasil.conf
`;

interface PackageHost {
  readonly systemd: FakeSystemd;
  read(path: string): string | undefined;
  write(path: string, text: string): void;
}

export class FakePackages {
  private readonly names = new Set<string>();
  /** What a package needs; of several in one string (`a|b`) one will do. */
  readonly needs = new Map<string, string[]>();

  /** @param version of Debian: 13 starts tayga at install */
  constructor(private readonly host: PackageHost, private readonly version: "12" | "13") {}

  has = (name: string): boolean => this.names.has(name);

  /** dpkg-query(1): a line for each. */
  query = (): Answer => ok([...this.names].map((p) => `${p} installed 1.0\n`).join(""));

  apt(words: string[]): Answer {
    const verb = words.find((w) => ["update", "install", "purge"].includes(w));
    const names = words.slice(words.indexOf(verb!) + 1).filter((w) => !w.startsWith("-") && !w.includes("="));
    if (verb === "install" && words.includes("--simulate")) {
      return ok(names.filter((n) => !this.has(n)).map((n) => `Inst ${n} (1.0 Debian [amd64])\n`).join(""));
    }
    if (verb === "install") { for (const name of names) this.install(name, true); }
    if (verb === "purge") {
      const going = this.along(names);
      if (words.includes("--simulate")) return ok(going.map((n) => `Purg ${n} [1.0]\n`).join(""));
      for (const name of going) this.names.delete(name);
    }
    return ok();
  }

  /** These, and all that cannot stay without them. */
  private along(names: string[]): string[] {
    const going = new Set(names.filter(this.has));
    const stays = (name: string) => this.has(name) && !going.has(name);
    const broken = ([name, needs]: [string, string[]]) =>
      stays(name) && needs.some((need) => !need.split("|").some(stays));
    for (let next; (next = [...this.needs].find(broken));) going.add(next[0]);
    return [...going];
  }

  /** Somebody purges it. */
  remove = (name: string): void => void this.names.delete(name);

  install(name: string, starts: boolean): void {
    if (this.has(name)) return;
    this.names.add(name);
    if (name === "yggdrasil") {
      this.host.write("/etc/group", `${this.host.read("/etc/group")}yggdrasil:x:${Deno.gid() || 4711}:\n`);
      this.host.write("/usr/lib/systemd/system/yggdrasil.service", YGGDRASIL_UNIT);
    }
    if (name === "tayga" && this.version !== "12") {
      this.host.write("/usr/lib/systemd/system/tayga.service", "[Service]\nType=simple\nExecStart=/usr/sbin/tayga\n");
      const unit = this.host.systemd.unit("tayga.service");
      unit.enabled = starts;
      if (starts && !unit.masked) unit.active = "active";
    }
  }
}
