/** A fake Debian: a Runner that keeps what is done to it and refuses what a real one would refuse. Files are real, in a folder. */

import { Program } from "../../../gateway/action.ts";
import { Path, Unit } from "../../../gateway/names.ts";
import { startable } from "../../../gateway/permissions.ts";
import { addressFromKey } from "../../../gateway/yggdrasil_address.ts";
import type { Result, Runner, RunOptions } from "../../../machine/run.ts";
import hjson from "hjson";
import { SCHEMAS } from "../keys.ts";
import { type Answer, ok, Refusal, refused } from "./answer.ts";
import { CKR_DAEMON } from "./configs.ts";
import { FakeNetfilter } from "./netfilter.ts";
import { FakeNetwork } from "./network.ts";
import { FakeSysctls } from "./sysctls.ts";
import { FakeSystemd } from "./systemd.ts";
import { elf, FakeWeb } from "./web.ts";

const PERMITTED = startable();
const TOOLS = ["iproute2", "iptables", "iputils-ping", "nftables", "procps"];
const YGGDRASIL_UNIT = `[Unit]
Wants=network-online.target
[Service]
Type=simple
ExecStart=/usr/sbin/yggdrasil -useconffile /etc/yggdrasil/yggdrasil.conf
`;

export interface FakeOptions {
  /** Default: all that crxn needs. */
  packages?: string[];
  /** Debian 13 starts tayga at install. */
  version?: "12" | "13";
  /** The IPv6 default route came by router advertisement. */
  ra?: boolean;
}

export class FakeMachine implements Runner {
  readonly folder: string;
  readonly sysctls = new FakeSysctls();
  readonly network = new FakeNetwork(this.sysctls);
  readonly netfilter = new FakeNetfilter();
  readonly systemd: FakeSystemd;
  packages = new Set<string>();
  /** What yggdrasil's normalised config has besides: a daemon with tunnel routing keeps that section. */
  daemonSettings: Record<string, unknown> = {};
  readonly web = new FakeWeb(this);
  /** Every command that changed, or tried to change, something. */
  commands: string[][] = [];
  /** Makes a command fail, or throws to stop crxn dead. */
  before: (argv: string[]) => Answer | undefined = () => undefined;

  constructor(private readonly options: FakeOptions = {}) {
    const shm = Deno.statSync("/dev/shm").isDirectory ? { dir: "/dev/shm" } : {};
    this.folder = Deno.makeTempDirSync({ ...shm, prefix: "crxn-fake-" });
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
      daemon: (unit, starts) => this.daemon(unit, starts),
    });
    this.plug();
    for (const name of options.packages ?? [...TOOLS, "tayga", "yggdrasil"]) this.install(name, false);
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
        return this.mktun(words.at(-1)!);
      case Program.dpkgQuery:
        return ok([...this.packages].map((p) => `${p} installed 1.0\n`).join(""));
      case Program.dpkg:
        return ok();
      case Program.aptGet:
        return this.apt(words);
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

  private mktun(config: string): Answer {
    const device = /^tun-device (\S+)$/m.exec(this.read(config) ?? "")?.[1];
    if (!device) return refused("Error: no tun-device", 1);
    const there = this.network.find(device);
    if (there && (there.kind !== "tun" || there.holder)) return refused("Unable to attach tun device: busy", 1);
    if (!there) this.network.addLink({ name: device, kind: "tun", persist: true });
    return ok();
  }

  private apt(words: string[]): Answer {
    const verb = words.find((w) => ["update", "install", "purge"].includes(w));
    const names = words.slice(words.indexOf(verb!) + 1).filter((w) => !w.startsWith("-") && !w.includes("="));
    if (verb === "install" && words.includes("--simulate")) {
      return ok(names.filter((n) => !this.packages.has(n)).map((n) => `Inst ${n} (1.0 Debian [amd64])\n`).join(""));
    }
    if (verb === "install") { for (const name of names) this.install(name, true); }
    if (verb === "purge") { for (const name of names) this.packages.delete(name); }
    return ok();
  }

  private install(name: string, starts: boolean): void {
    if (this.packages.has(name)) return;
    this.packages.add(name);
    if (name === "yggdrasil") {
      this.write("/etc/group", `${this.read("/etc/group")}yggdrasil:x:${Deno.gid() || 4711}:\n`);
      this.write("/usr/lib/systemd/system/yggdrasil.service", YGGDRASIL_UNIT);
    }
    if (name === "tayga" && this.options.version !== "12") {
      this.write("/usr/lib/systemd/system/tayga.service", "[Service]\nType=simple\nExecStart=/usr/sbin/tayga\n");
      const unit = this.systemd.unit("tayga.service");
      unit.enabled = starts;
      if (starts && !unit.masked) unit.active = "active";
    }
  }

  /** A daemon takes its TUN, or lets go of it. */
  private daemon(unit: string, starts: boolean): boolean {
    if (!starts) {
      this.network.release(unit);
      return true;
    }
    const instance = /^tayga@(.*)\.service$/.exec(unit)?.[1];
    if (instance) {
      const device = /^tun-device (\S+)$/m.exec(this.read(Path.taygaConfig(instance)) ?? "")?.[1];
      Deno.mkdirSync(`${this.folder}/var/lib/tayga/${instance}`, { recursive: true });
      this.write(`/var/lib/tayga/${instance}/dynamic.map`, "");
      return device !== undefined && this.hold(device, unit);
    }
    if (unit === Unit.link) this.follow();
    if (unit === "yggdrasil.service") {
      const config = this.read(Path.yggdrasilConfig) ?? "";
      const device = /^\s*"?IfName"?:\s*"?([^\s",]+)/m.exec(config)?.[1];
      const key = /PrivateKey"?:\s*"?[0-9a-f]{64}([0-9a-f]{64})/.exec(config)?.[1];
      if (!device || !key || !canRead(config)) return false;
      const own = `${addressFromKey(key)}/7`;
      // The real one stops with a panic when its own address is there already.
      if (this.network.find(device)?.addresses.includes(own) || !this.hold(device, unit)) return false;
      const link = this.network.get(device);
      link.addresses.push(own);
      const route = {
        family: "inet6" as const,
        to: "200::/7",
        type: "unicast",
        device,
        protocol: "kernel",
        metric: 256,
      };
      if (!this.network.routes.some((r) => r.to === route.to)) this.network.routes.push(route);
      Object.assign(link, { up: true, mtu: 65535 });
    }
    return true;
  }

  /** What the follower puts on the link once it is up. */
  private follow(): void {
    const script = this.read(Path.linkScript) ?? "";
    const link = this.network.find(/^link=(.*)$/m.exec(script)?.[1]);
    if (!link?.up) return;
    const [, address] = /^\t\/usr\/sbin\/ip (address replace .*) \|\| failed=yes$/m.exec(script)!;
    this.network.ip(address!.split(" "));
    const routes =
      /^\t\[ -n "\$\(\/usr\/sbin\/ip -4 route show exact (\S+) .*\)" \] \|\|\n\t\t\/usr\/sbin\/ip (-4 route replace .*) \|\| failed=yes$/gm;
    for (const [, to, command] of script.matchAll(routes)) {
      const there = this.network.routes.some((r) => r.to === to && r.device === link.name && r.metric === 0);
      if (!there) this.network.ip(command!.split(" "));
    }
  }

  private hold(device: string, unit: string): boolean {
    if (!this.network.find(device)) this.network.addLink({ name: device, kind: "tun" });
    const link = this.network.get(device);
    if (link.holder) return false;
    link.holder = unit;
    return true;
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

/** The real one stops with a panic when a key's networks are no list. */
function canRead(config: string): boolean {
  const { TunnelRouting } = hjson.parse(config) as { TunnelRouting?: { RemoteSubnets?: Record<string, unknown> } };
  return Object.values(TunnelRouting?.RemoteSubnets ?? {}).every(Array.isArray);
}
