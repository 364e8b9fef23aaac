/** A fake Debian: a Runner that keeps what is done to it and refuses what a real one would refuse. Files are real, in a folder. */

import { Program } from "../../../gateway/action.ts";
import { startable } from "../../../gateway/permissions.ts";
import type { Result, Runner, RunOptions } from "../../../machine/run.ts";
import { SCHEMAS } from "../keys.ts";
import { type Answer, ok, Refusal, refused } from "./answer.ts";
import { CKR_DAEMON } from "./configs.ts";
import { FakeNetfilter } from "./netfilter.ts";
import { FakeNetwork } from "./network.ts";
import { FakePackages } from "./packages.ts";
import { FakeServices } from "./services.ts";
import { FakeSysctls } from "./sysctls.ts";
import { FakeSystemd } from "./systemd.ts";
import { elf, FakeWeb } from "./web.ts";

const PERMITTED = startable();
const TOOLS = ["iproute2", "iptables", "iputils-ping", "nftables", "procps"];

export interface FakeOptions {
  /** Default: all that crxn needs. */
  packages?: string[];
  /** Debian 13 starts tayga at install. */
  version?: "12" | "13";
  /** The IPv6 default route came by router advertisement. */
  ra?: boolean;
  /** Where its folder is made; default: in memory. */
  parent?: string;
}

export class FakeMachine implements Runner {
  readonly folder: string;
  readonly sysctls = new FakeSysctls();
  readonly network = new FakeNetwork(this.sysctls);
  readonly netfilter = new FakeNetfilter();
  readonly systemd: FakeSystemd;
  readonly packages: FakePackages;
  private readonly services = new FakeServices(this);
  /** What yggdrasil's normalised config has besides: a daemon with tunnel routing keeps that section. */
  daemonSettings: Record<string, unknown> = {};
  readonly web = new FakeWeb(this);
  /** Every command that changed, or tried to change, something. */
  commands: string[][] = [];
  /** Makes a command fail, or throws to stop crxn dead. */
  before: (argv: string[]) => Answer | undefined = () => undefined;

  constructor(private readonly options: FakeOptions = {}) {
    this.folder = Deno.makeTempDirSync({ dir: options.parent ?? "/dev/shm", prefix: "crxn-fake-" });
    for (
      const dir of [
        "/etc/sysctl.d",
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
        "/run/systemd/system",
        "/dev/net",
        "/var/cache",
        "/var/lib",
      ]
    ) {
      Deno.mkdirSync(this.folder + dir, { recursive: true });
    }
    Deno.chmodSync(this.folder, 0o755);
    const version = options.version ?? "13";
    this.write("/etc/os-release", `ID=debian\nVERSION_ID="${version}"\nPRETTY_NAME="Debian GNU/Linux ${version}"\n`);
    this.write("/etc/group", "root:x:0:\n");
    this.write("/dev/net/tun", "");
    Deno.mkdirSync(`${this.folder}/opt`);
    Deno.writeFileSync(this.folder + CKR_DAEMON, elf("ckr"), { mode: 0o755 });
    this.write("/usr/lib/systemd/system/network-online.target", "[Unit]\n");
    this.systemd = new FakeSystemd({
      read: (path) => this.read(path),
      run: (argv) => this.run(argv),
      daemon: (unit, starts) => this.services.run(unit, starts),
    });
    this.packages = new FakePackages(this, version);
    this.plug();
    for (const name of options.packages ?? [...TOOLS, "tayga", "yggdrasil"]) this.packages.install(name, false);
  }

  /** What is there when the machine is switched on. */
  private plug(): void {
    this.network.links = [];
    this.network.routes = [];
    this.network.addLink({ name: "lo", up: true, mtu: 65536 });
    this.network.addLink({ name: "eth0", up: true, addresses: ["192.0.2.2/24", "2001:db8:9::2/64"] });
    this.network.addLink({ name: "wg0", kind: "wireguard", up: true, mtu: 1420 });
    const protocol = this.options.ra ? "ra" : "static";
    const route = {
      family: "inet6" as const,
      to: "default",
      type: "unicast",
      device: "eth0",
      via: "fe80::1",
      metric: 1024,
    };
    this.network.routes.push({ ...route, protocol });
    this.sysctls.onForwarding = () => {
      const drops = this.sysctls.values.get("net/ipv6/conf/eth0/accept_ra") === "1";
      this.network.routes = this.network.routes.filter((r) => r.protocol !== "ra" || !drops);
    };
  }

  async run(argv: string[], options: RunOptions = {}): Promise<Result> {
    const answer = await this.answer(argv, options.stdin ?? "");
    return { argv, ...answer };
  }

  private async answer(argv: string[], stdin: string): Promise<Answer> {
    const [program, ...words] = argv;
    if (program === Program.ip && words.includes("-batch") && !words.includes("-j")) {
      return await this.batch(argv, stdin);
    }
    const reads = ["show", "list", "-a", "-json", "--show", "--verify"].some((w) => words.includes(w)) ||
      program!.endsWith("-save") || program === Program.grep ||
      (program === Program.sysctl && !words.some((w) => w.includes("=")));
    if (!reads) {
      this.commands.push(argv);
      const instead = this.before(argv);
      if (instead) return instead;
    }
    try {
      return await this.programs(program!, words, stdin);
    } catch (error) {
      if (error instanceof Refusal) return refused(error.message, error.code);
      throw error;
    }
  }

  /** ip(8), -batch: a command for each line; it ends with the first that fails, and says which. */
  private async batch(argv: string[], stdin: string): Promise<Answer> {
    const head = argv.slice(0, argv.indexOf("-batch"));
    const file = argv.at(-1)!;
    const text = file === "-" ? stdin : this.read(file) ?? "";
    const lines = text.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
    for (const [i, line] of lines.entries()) {
      const answer = await this.answer([...head, ...line.split(" ")], "");
      if (answer.code !== 0) return { ...answer, stderr: `${answer.stderr}\nCommand failed -:${i + 1}\n` };
    }
    return ok();
  }

  private async programs(program: string, words: string[], stdin: string): Promise<Answer> {
    // Units call it, to write into what a container may not have.
    if (program === Program.cp) return refused("cp: cannot create regular file: Read-only file system", 1);
    // The compiled crxn may start no other (gateway/permissions.ts).
    if (!PERMITTED.includes(program)) throw new Error(`${program} is not among crxn's programs`);
    const file = () => this.read(words.at(-1)!) ?? "";
    switch (program) {
      case Program.grep:
        return this.grep(words);
      case Program.ps:
        return ok();
      case Program.ip:
        return this.network.ip(words);
      case Program.sysctl:
        return this.sysctls.run(words);
      case Program.systemctl:
        return await this.systemd.run(words);
      case Program.iptables:
        return this.netfilter.command("ip", words);
      case Program.ip6tables:
        return this.netfilter.command("ip6", words);
      case Program.iptablesRestore:
        return this.netfilter.restore("ip", words.at(-1)!.startsWith("/") ? file() : stdin);
      case Program.ip6tablesRestore:
        return this.netfilter.restore("ip6", words.at(-1)!.startsWith("/") ? file() : stdin);
      case Program.iptablesSave:
        return this.netfilter.save("ip");
      case Program.ip6tablesSave:
        return this.netfilter.save("ip6");
      case Program.nft:
        return this.netfilter.nft(words, words.at(-1)!.startsWith("/") ? file() : stdin);
      case Program.tayga:
        return this.services.mktun(words.at(-1)!);
      case Program.dpkgQuery:
        return this.packages.query();
      case Program.dpkg:
        return ok();
      case Program.aptGet:
        return this.packages.apt(words);
      case Program.aptHelper:
        return await this.web.aptHelper(words);
      case Program.dpkgDeb:
        return this.web.dpkgDeb(words);
      case Program.ping:
        return ok("64 bytes from it: icmp_seq=1 ttl=64 time=0.041 ms\n1 packets transmitted, 1 received\n");
      case Program.journalctl:
        return ok();
      case Program.yggdrasilctl:
        return this.systemd.unit("yggdrasil.service").active === "active" ? ok("{}") : refused("connection refused", 1);
      case Program.setpriv:
        return this.normalise(words[words.indexOf("--") + 1]!);
      case Program.unshare:
        return this.network.kinds.includes("ip6gre") ? ok() : refused("Error: Unknown device type.");
    }
    return refused(`${program}: not found`, 127);
  }

  /** Every line of some files, with their names or without. */
  private grep([, , , ...files]: string[]): Answer {
    const lines = files.flatMap((file) => {
      const text = this.read(file);
      return text === undefined ? [] : text.trimEnd().split("\n").map((line) => `${file}:${line}\n`);
    });
    return lines.length > 0 ? ok(lines.join("")) : refused("", 1);
  }

  /** What the yggdrasil program makes of a config: Debian's has no tunnel routing. */
  private normalise(program: string): Answer {
    const there = program === Program.yggdrasil ? this.packages.has("yggdrasil") : this.read(program) !== undefined;
    if (!there) return refused(`${program}: not found`, 127);
    const ckr = program === CKR_DAEMON
      ? { TunnelRouting: Object.fromEntries(SCHEMAS["2"].map((name) => [name, null])) }
      : {};
    return ok(JSON.stringify({ PrivateKey: "", IfName: "auto", ...ckr, ...this.daemonSettings }));
  }

  /** A reboot: what the kernel knew is gone, files stay, enabled units start. */
  async reboot(): Promise<void> {
    this.network.links = [];
    this.sysctls.values = new FakeSysctls().values;
    this.netfilter.tables.clear();
    this.netfilter.native.clear();
    this.plug();
    const folder = `${this.folder}/etc/sysctl.d`;
    for (const name of [...Deno.readDirSync(folder)].map((e) => e.name).sort()) {
      for (const line of Deno.readTextFileSync(`${folder}/${name}`).split("\n").filter((l) => /^\w/.test(l))) {
        this.sysctls.run([line.replace(" = ", "=")]);
      }
    }
    await this.systemd.boot();
  }

  read(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(this.folder + path);
    } catch {
      return undefined;
    }
  }

  write(path: string, text: string): void {
    Deno.mkdirSync(this.folder + path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(this.folder + path, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}
