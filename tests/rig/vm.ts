import type { Card } from "./card.ts";
import { inCgroup, removeCgroup } from "./cgroup.ts";
import { type Debian, image } from "./images.ts";
import type { Lab } from "./lab.ts";
import { makeNamespace, type Net } from "./network.ts";
import { Place } from "./place.ts";
import { ip, must, type Output, quoted, run, type RunOptions, until } from "./process.ts";
import { productFiles } from "./product.ts";
import { plugUplink, type Uplink } from "./uplink.ts";
import { Agent } from "./vm_agent.ts";
import { productDisk, rootDisk } from "./vm_disk.ts";

/** What a virtual machine is made of. */
export interface VirtualMachineOptions {
  debian: Debian;
  /** The router that eth0 is joined to. */
  uplink: Net;
}

/** Seconds that a boot, and a shutdown, may take; without KVM they take 30 and 10 when nothing else runs. */
const BOOT = 400;
const SHUTDOWN = 90;
const MEMORY = "1024";
/** The kernel's command line. */
const KERNEL = [
  "root=/dev/vda rw console=ttyS0 net.ifnames=0",
  // Dear without KVM: flushing caches against spies, and each character that goes to the console.
  "mitigations=off quiet systemd.show_status=error",
  // A busy host makes the kernel distrust this clock, and every other one is a device that QEMU has to play.
  "tsc=reliable",
  // On a busy host the kernel may need longer than 90 s to find a device.
  `systemd.default_timeout_start_sec=${BOOT} systemd.default_device_timeout_sec=${BOOT}`,
].join(" ");

/**
 * A Debian with its own kernel, Debian's cloud kernel, in QEMU. It sits where a container of the rig would: the other
 * ends of its cards are in the lab's namespaces. Programs are run by its guest agent, over a serial port.
 */
export class VirtualMachine extends Place {
  #cards: Card[] = [];
  #power?: { qemu: Deno.ChildProcess; agent: Agent };
  #uplink?: Uplink;
  #disk?: string;

  private constructor(name: string, namespace: string, readonly lab: Lab, readonly options: VirtualMachineOptions) {
    super(name, namespace);
  }

  /** Makes a virtual machine that is off. Use {@linkcode Lab.virtualMachine}. */
  static async create(
    lab: Lab,
    name: string,
    namespace: string,
    options: VirtualMachineOptions,
  ): Promise<VirtualMachine> {
    const machine = new VirtualMachine(name, namespace, lab, options);
    // QEMU runs in it. What the machine sends comes out of tap devices, which go on to where the cables lead.
    await makeNamespace(namespace);
    machine.#uplink = await plugUplink(machine, options.uplink, false);
    return machine;
  }

  /** How the Internet reaches it. */
  get uplink(): Uplink {
    return this.#uplink!;
  }

  /** Puts a card in; only before the first start. The kernel names them in order: eth0, which is the uplink, eth1, ... */
  addCard(card: Card): Promise<void> {
    const device = `eth${this.#cards.length}`;
    if (card.device !== device) throw new TypeError(`The next card of ${this.name} is ${device}, not ${card.device}`);
    if (this.#disk !== undefined) throw new TypeError(`${this.name} has been started already`);
    this.#cards.push(card);
    return Promise.resolve();
  }

  /** Powers on; returns when systemd has nothing more to do. */
  async start(): Promise<void> {
    this.#disk ??= await this.#makeDisk();
    const qemu = await this.#spawnQemu();
    for (const [number, card] of this.#cards.entries()) await this.#plug(`tap${number}`, card);
    this.#power = { qemu, agent: await Agent.connect(this.#socket) };
    await this.#booted();
  }

  /** A reboot from within; QEMU, and so the other ends of the cables, stay. */
  async reboot(): Promise<void> {
    const bootId = async () => await this.read("/proc/sys/kernel/random/boot_id");
    const before = await bootId();
    await this.#agent.ask("guest-exec", { path: "systemctl", arg: ["reboot"] });
    await until(`${this.name} to go down and come up`, BOOT + SHUTDOWN, async () => {
      if (!(await this.#agent.answers())) return undefined;
      // It may go down just now.
      return (await bootId().catch(() => before)) === before ? undefined : true;
    });
    await this.#booted();
  }

  /** Shuts down in order, or after a while by force. */
  async stop(): Promise<void> {
    await this.#agent.ask("guest-exec", { path: "systemctl", arg: ["poweroff"] });
    await this.#end(SHUTDOWN);
  }

  /** Pulls the plug. What the machine has not yet written to its disk is lost. */
  async crash(): Promise<void> {
    await this.#end(0);
  }

  /** Copies a file of the host to `path`; what is on the disk with the product does not take the serial line. */
  override async push(hostPath: string, path: string, mode = 0o644): Promise<void> {
    if (!(await productFiles()).includes(hostPath)) return await super.push(hostPath, path, mode);
    const name = hostPath.slice(hostPath.lastIndexOf("/") + 1);
    await this.must(`install -D -m ${mode.toString(8)} ${quoted(`/opt/crxn/${name}`)} ${quoted(path)}`);
  }

  /** The same, with more patience by default: without KVM everything takes some twenty times as long. */
  override async run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
    return await super.run(argv, { timeoutSeconds: 600, ...options });
  }

  protected override async execute(argv: readonly string[], options: RunOptions): Promise<Output> {
    return await this.#agent.run(argv, options);
  }

  get #agent(): Agent {
    if (this.#power === undefined) throw new Error(`The machine ${this.name} is off`);
    return this.#power.agent;
  }

  get #files(): string {
    return `${this.lab.directory}/disk/${this.name}`;
  }

  get #socket(): string {
    return `${this.#files}/agent.sock`;
  }

  async #makeDisk(): Promise<string> {
    const { debian, uplink } = this.options;
    await Deno.mkdir(this.#files, { recursive: true });
    return await rootDisk(this.#files, await image(debian, "vm"), {
      name: this.name,
      debian,
      mirror: await uplink.mirror(),
      network: [...this.uplink.commands, ...this.#cards.flatMap(({ commands = [] }) => commands)],
      devices: this.#cards.map(({ device }) => device),
    });
  }

  async #spawnQemu(): Promise<Deno.ChildProcess> {
    const root = await image(this.options.debian, "vm");
    const drive = (file: string, more = "") => ["-drive", `file=${file},format=raw,if=virtio${more}`];
    const qemu = [
      ...["qemu-system-x86_64", "-name", this.namespace, "-machine", "q35", ...await acceleration()],
      // One processor: two that are emulated wait for each other whenever the host has something else to do.
      ...["-smp", "1", "-m", MEMORY, "-nodefaults", "-no-user-config", "-display", "none"],
      ...["-kernel", `${root}/vmlinuz`, "-initrd", `${root}/initrd.img`],
      ...["-append", KERNEL],
      // The host's page cache is disk enough for a machine that does not outlive the test.
      ...drive(this.#disk!, ",cache=unsafe"),
      ...drive(await productDisk(this.lab), ",readonly=on"),
      ...["-serial", `file:${this.#files}.log`, "-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=agent,path=${this.#socket},server=on,wait=off`],
      ...["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
      ...this.#cards.flatMap(({ mac }, number) => [
        ...["-netdev", `tap,id=net${number},ifname=tap${number},script=no,downscript=no`],
        ...["-device", `virtio-net-pci,netdev=net${number},mac=${mac},romfile=`],
      ]),
    ];
    const logged = ["sh", "-c", 'log=$0; exec "$@" >>"$log" 2>&1', `${this.#files}.qemu.log`, ...qemu];
    const inside = ["nsenter", `--net=/run/netns/${this.namespace}`, "--", ...logged];
    const [command, ...args] = inCgroup(this.lab.cgroup(this.name), inside) as [string, ...string[]];
    return this.lab.own(new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn());
  }

  /** Moves the device that QEMU made for a card to where its cable leads. It stays QEMU's, and goes with it. */
  async #plug(tap: string, { far, mtu, plugged }: Card): Promise<void> {
    await until(`QEMU to make ${tap}`, 20, async () => {
      const { code } = await run(["ip", "-n", this.namespace, "link", "show", "dev", tap]);
      return code === 0 || undefined;
    }).catch(async (error) => {
      throw new Error(`${error.message}\n${await this.lab.log(`${this.name}.qemu`)}`);
    });
    await ip(this.namespace, [
      ...(far.mac === undefined ? [] : [`link set ${tap} address ${far.mac}`]),
      ...(mtu === undefined ? [] : [`link set ${tap} mtu ${mtu}`]),
      `link set ${tap} netns ${far.namespace} name ${far.device}`,
    ]);
    await plugged();
  }

  async #booted(): Promise<void> {
    try {
      await until(`${this.name} to boot`, BOOT, async () => (await this.#agent.answers()) || undefined);
      const { stdout } = await this.run(["systemctl", "is-system-running", "--wait"], { timeoutSeconds: BOOT });
      if (stdout.trim() === "running") return;
      const failed = (await this.run(["systemctl", "--failed", "--plain"])).stdout;
      throw new Error(`${this.name} is ${stdout.trim()}:\n${failed}`);
    } catch (error) {
      const console = (await this.lab.log(this.name)).split("\n").slice(-40).join("\n");
      throw new Error(`${(error as Error).message}\n${await this.lab.log(`${this.name}.qemu`)}\n${console}`);
    }
  }

  async #end(seconds: number): Promise<void> {
    const { qemu, agent } = this.#power!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([qemu.status, new Promise((resolve) => timer = setTimeout(resolve, seconds * 1000))]);
    clearTimeout(timer);
    await removeCgroup(this.lab.cgroup(this.name));
    await qemu.status;
    agent.close();
    this.#power = undefined;
    await must(["rm", "-f", this.#socket]);
  }
}

/** KVM where this host's processor has it, else QEMU's own translation: some twenty times slower, and it works anywhere. */
async function acceleration(): Promise<string[]> {
  // The device can be there without the processor's support for it, and a machine would then hang.
  const capable = /^flags\s*:.*\b(vmx|svm)\b/m.test(await Deno.readTextFile("/proc/cpuinfo"));
  const opened = await Deno.open("/dev/kvm", { read: true, write: true }).catch(() => undefined);
  opened?.close();
  return capable && opened ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"];
}
