import type { Card } from "./card.ts";
import { inCgroup, removeCgroup } from "./cgroup.ts";
import { type Debian, image, type Kind } from "./images.ts";
import type { Lab } from "./lab.ts";
import { furnish } from "./machine_files.ts";
import { makeNamespace, type Net } from "./network.ts";
import { Place } from "./place.ts";
import { ip, must, type Output, run, type RunOptions, until } from "./process.ts";
import { productDirectory } from "./product.ts";
import { plugUplink, type Uplink } from "./uplink.ts";

/** What a machine is made of. */
export interface MachineOptions {
  debian: Debian;
  /** `bare` (default): nothing but Debian. `ready`: tayga, yggdrasil, iptables, nftables, tcpdump are installed. */
  image?: Kind;
  /** The router that eth0 is joined to; without it there is no eth0. */
  uplink?: Net;
  /** The IPv6 address and default route come by router advertisement instead of from the machine's own files. */
  ra?: boolean;
  /** false: apt's sources stay Debian's own, which no machine of the rig can reach. */
  apt?: boolean;
  /** false: there is no /dev/net/tun in the machine. */
  tun?: boolean;
}

/** Seconds that a boot, and a shutdown, may take. */
const BOOT = 60;
const SHUTDOWN = 30;

/** What sysfs(5) has of devices that are no hardware's. */
const DEVICES = "/sys/devices/virtual/net";

/** A booted Debian with real systemd in a container; its eth0 leads to the lab's Internet. */
export class Machine extends Place {
  #links: (() => Promise<void>)[] = [];
  #boot?: { nspawn: Deno.ChildProcess; leader: number };
  #uplink?: Uplink;

  private constructor(name: string, namespace: string, readonly lab: Lab, readonly options: MachineOptions) {
    super(name, namespace);
  }

  /** Makes and boots a machine. Use {@linkcode Lab.machine}. */
  static async create(lab: Lab, name: string, namespace: string, options: MachineOptions): Promise<Machine> {
    const machine = new Machine(name, namespace, lab, options);
    const lower = await image(options.debian, options.image ?? "bare");
    for (const layer of ["upper", "work", "root"]) await Deno.mkdir(`${machine.#files}/${layer}`, { recursive: true });
    const layers = `lowerdir=${lower},upperdir=${machine.#files}/upper,workdir=${machine.#files}/work`;
    await must(["mount", "-t", "overlay", "-o", layers, "crxn-rig", `${machine.#files}/root`]);
    await makeNamespace(namespace);
    if (options.uplink) machine.#uplink = await plugUplink(machine, options.uplink, options.ra ?? false);
    const mirror = options.uplink && options.apt !== false ? await options.uplink.mirror() : undefined;
    await furnish(`${machine.#files}/root`, {
      name,
      debian: options.debian,
      mirror,
      network: machine.#uplink?.commands,
    });
    await machine.start();
    return machine;
  }

  /** How the Internet reaches it. @throws {TypeError} when it was made without an uplink */
  get uplink(): Uplink {
    if (this.#uplink === undefined) throw new TypeError(`The machine ${this.name} has no uplink`);
    return this.#uplink;
  }

  /** Pid, as the host sees it, of the machine's systemd. @throws {Error} when the machine is off */
  get leader(): number {
    if (this.#boot === undefined) throw new Error(`The machine ${this.name} is off`);
    return this.#boot.leader;
  }

  /** Puts a network card in: one end of a veth, whose other end is in another namespace. */
  async addCard({ device, mac, mtu, far, commands = [], plugged }: Card): Promise<void> {
    const size = mtu === undefined ? "" : ` mtu ${mtu}`;
    const peer = `peer name ${far.device}${far.mac === undefined ? "" : ` address ${far.mac}`}${size}`;
    // Now and at every later start, when the machine's namespace is new and empty.
    const plug = async () => {
      await run(["ip", "-n", far.namespace, "link", "del", far.device]);
      const veth = `link add ${device} address ${mac}${size} type veth ${peer} netns ${far.namespace}`;
      await ip(this.namespace, [veth, ...commands]);
      await plugged();
    };
    this.#links.push(plug);
    await plug();
  }

  /** Boots; returns when systemd has nothing more to do and the uplink is usable. */
  async start(): Promise<void> {
    const nspawn = this.#spawnNspawn();
    const leader = await until(`systemd of ${this.name}`, BOOT, () => leaderOf(nspawn.pid));
    this.#boot = { nspawn, leader };
    const state = await until(`${this.name} to have booted`, BOOT, async () => {
      // Until dbus is there, --wait fails at once.
      const { stdout } = await this.run(["systemctl", "is-system-running", "--wait"], { timeoutSeconds: BOOT });
      return ["running", "degraded"].includes(stdout.trim()) ? stdout.trim() : undefined;
    }).catch(async (error) => {
      throw new Error(`${error.message}\n${await this.lab.log(this.name)}`);
    });
    if (state === "degraded") {
      console.error(`${this.name} is degraded: ${(await this.run(["systemctl", "--failed", "--plain"])).stdout}`);
    }
    // As on a machine that is none of systemd-nspawn's; only devices of its own network namespace are there.
    await this.must(`mount --bind ${DEVICES} ${DEVICES} && mount -o remount,rw ${DEVICES}`);
    // systemd-nspawn makes the node by itself, bound or not.
    if (this.options.tun === false) await this.must(["rm", "/dev/net/tun"]);
    if (this.#uplink?.ra) {
      await until(`router advertisement at ${this.name}`, 20, async () => {
        const { stdout } = await this.run(["ip", "-6", "route", "show", "default"]);
        const address = await this.run(["ip", "-6", "addr", "show", "dev", "eth0", "scope", "global", "-tentative"]);
        return stdout.includes("default") && address.stdout.includes("inet6") ? true : undefined;
      });
    }
  }

  /** Shuts down in order (as `systemctl poweroff`), or after 30 s by force, and removes the network namespace. */
  async stop(): Promise<void> {
    // SIGRTMIN+4 is systemd's "poweroff" (systemd(1)).
    await must(["kill", "-38", String(this.leader)]);
    await this.#end(SHUTDOWN);
  }

  /** Pulls the plug: everything in the machine is killed at once. */
  async crash(): Promise<void> {
    await this.#end(0);
  }

  /**
   * A reboot that forgets what a reboot forgets: its network namespace is destroyed and made anew, with the same links,
   * before it boots again. With `crash` it goes down by {@linkcode crash}.
   */
  async reboot(options: { crash?: boolean } = {}): Promise<void> {
    if (options.crash) await this.crash();
    else await this.stop();
    await makeNamespace(this.namespace);
    for (const plug of this.#links) await plug();
    await this.start();
  }

  /** SIGKILL to every process of that name (as in /proc/PID/comm). @throws {CommandError} when there is none */
  async kill(process: string): Promise<void> {
    await this.must(`kill -KILL $(pgrep -x "${process.slice(0, 15)}")`);
  }

  protected override async execute(argv: readonly string[], options: RunOptions): Promise<Output> {
    return await run(
      ["nsenter", "-t", String(this.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", ...argv],
      options,
    );
  }

  get #files(): string {
    return `${this.lab.directory}/disk/${this.name}`;
  }

  #spawnNspawn(): Deno.ChildProcess {
    const nspawn = [
      ...["env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network"],
      ...["systemd-nspawn", "-q", "-D", `${this.#files}/root`, "-M", this.namespace, `--hostname=${this.name}`],
      ...["--boot", "--register=no", "--keep-unit", `--network-namespace-path=/run/netns/${this.namespace}`],
      ...["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe", "--capability=CAP_NET_ADMIN"],
      ...(this.options.tun === false ? [] : ["--bind=/dev/net/tun"]),
      `--bind-ro=${productDirectory()}:/opt/crxn`,
    ];
    const logged = ["sh", "-c", 'log=$0; exec "$@" >>"$log" 2>&1', `${this.#files}.log`, ...nspawn];
    const [command, ...args] = inCgroup(this.lab.cgroup(this.name), logged) as [string, ...string[]];
    return this.lab.own(new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn());
  }

  async #end(seconds: number): Promise<void> {
    const { nspawn } = this.#boot!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => timer = setTimeout(resolve, seconds * 1000));
    await Promise.race([nspawn.status, patience]);
    clearTimeout(timer);
    await removeCgroup(this.lab.cgroup(this.name));
    await nspawn.status;
    this.#boot = undefined;
    await must(["ip", "netns", "del", this.namespace]);
  }
}

/** The pid of systemd below systemd-nspawn, once it is init of its own pid namespace. */
async function leaderOf(nspawn: number): Promise<number | undefined> {
  const children = await run(["pgrep", "-P", String(nspawn)]);
  for (const pid of children.stdout.split("\n").filter((line) => line !== "")) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
    if (/^Name:\tsystemd$/m.test(status) && /^NSpid:.*\t1$/m.test(status)) return Number(pid);
  }
}
