import type { CardHolder } from "./card.ts";
import { cgroupOf, inCgroup } from "./cgroup.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { makeQuietNamespace, Net } from "./network.ts";
import { type OverlayHost, type OverlayOptions, plugOverlayHost } from "./overlay_host.ts";
import { runDirectory } from "./paths.ts";
import { Namespace } from "./place.ts";
import { must } from "./process.ts";
import { markOf, removeRun, type RunState, sweep } from "./removal.ts";
import { canBoot, ensureRequirements } from "./requirements.ts";
import { VirtualMachine, type VirtualMachineOptions } from "./vm.ts";

/** Background programs of the rig, such as the mirror. */
export interface Helper {
  /** Ends it and waits until it has. */
  stop(): Promise<void>;
}

/**
 * One laboratory: network namespaces and booted Debians of one test, all named after its run id.
 *
 * ```ts
 * await using lab = await Lab.create();
 * const net = await lab.internet();
 * const client = await net.client();
 * const gw = await lab.machine("gw", { debian: "bookworm", uplink: net });
 * ```
 *
 * Everything is removed when it is disposed of, and also when the test process dies of whatever cause.
 */
export class Lab implements AsyncDisposable {
  #net?: Promise<Net>;
  #children = new Set<Deno.ChildProcess>();
  #names = new Set<string>();

  private constructor(readonly id: string, readonly reaper: Deno.ChildProcess) {}

  /** Removes what dead runs left, then begins a run. @throws {Error} saying why when machines cannot be booted here */
  static async create(): Promise<Lab> {
    const reason = await canBoot();
    if (reason !== undefined) throw new Error(`Cannot boot machines here: ${reason}`);
    await ensureRequirements();
    await sweep();
    const id = crypto.randomUUID().slice(0, 6);
    const directory = runDirectory(id);
    await Deno.mkdir(directory, { recursive: true, mode: 0o755 });
    const script = 'read -r word; [ "$word" = done ] || exec "$@"';
    const reap = [Deno.execPath(), "run", "-A", "--no-lock", new URL("reaper.ts", import.meta.url).pathname, id];
    const reaper = new Deno.Command("setsid", { args: ["sh", "-c", script, "reaper", ...reap], stdin: "piped" })
      .spawn();
    const state: RunState = { owner: await markOf(Deno.pid), reaper: await markOf(reaper.pid) };
    await Deno.writeTextFile(`${directory}/state.json`, JSON.stringify(state));
    // In memory: dpkg's many fsync cost nothing, and removing it is one umount.
    await Deno.mkdir(`${directory}/disk`);
    await must(["mount", "-t", "tmpfs", "-o", "mode=755", "crxn-rig", `${directory}/disk`]);
    return new Lab(id, reaper);
  }

  /** Where this run keeps its files on the host. */
  get directory(): string {
    return runDirectory(this.id);
  }

  /** The IPv6 (and IPv4) Internet between clients and machines; made at the first call. */
  async internet(): Promise<Net> {
    return await (this.#net ??= Net.create(this, this.claim("internet")));
  }

  /** A namespace without any link. */
  async namespace(name: string): Promise<Namespace> {
    return new Namespace(name, await makeQuietNamespace(this.claim(name)));
  }

  /** Makes a Debian and boots it; returns when systemd is done and the uplink (if any) has its addresses and routes. */
  async machine(name: string, options: MachineOptions): Promise<Machine> {
    return await Machine.create(this, name, this.claim(name), options);
  }

  /** Makes a virtual machine with a kernel of its own. It is off until its `start`, so that cards can be put in. */
  async virtualMachine(name: string, options: VirtualMachineOptions): Promise<VirtualMachine> {
    return await VirtualMachine.create(this, name, this.claim(name), options);
  }

  /** A namespace behind an interface of a machine: a host of the overlay. */
  async overlayHost(machine: CardHolder, device: string, options: OverlayOptions = {}): Promise<OverlayHost> {
    const name = options.name ?? "host";
    return await plugOverlayHost(machine, device, name, this.claim(name), options);
  }

  /** Starts a program in the background; it is gone, at the latest, with the lab. Its output goes to NAME.log. */
  spawn(name: string, argv: readonly string[], namespace?: string): Helper {
    const inside = namespace === undefined ? argv : ["nsenter", `--net=/run/netns/${namespace}`, "--", ...argv];
    const logged = ["sh", "-c", 'log=$0; exec "$@" >>"$log" 2>&1', `${this.directory}/disk/${name}.log`, ...inside];
    const [command, ...args] = inCgroup(this.cgroup("helpers"), logged) as [string, ...string[]];
    const child = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    this.own(child);
    return {
      stop: async () => {
        this.#children.delete(child);
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended by itself.
        }
        await child.status;
      },
    };
  }

  /** Keeps a child process so that the lab waits for its end; it must run in a cgroup of this run. */
  own(child: Deno.ChildProcess): Deno.ChildProcess {
    this.#children.add(child);
    return child;
  }

  /** What a background program (or the console of a machine) has written so far. */
  async log(name: string): Promise<string> {
    return await Deno.readTextFile(`${this.directory}/disk/${name}.log`).catch(() => "");
  }

  /** The cgroup directory of a part of this run. */
  cgroup(part: string): string {
    return cgroupOf(this.id, part);
  }

  /** Stops and removes everything of this run. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeRun(this.id);
    await Promise.all([...this.#children].map((child) => child.status));
    const writer = this.reaper.stdin.getWriter();
    await writer.write(new TextEncoder().encode("done\n"));
    await writer.close();
    await this.reaper.status;
  }

  /** The name of the namespace for `name`. @throws {TypeError} when it is taken or does not fit interface names */
  private claim(name: string): string {
    if (!/^[a-z][a-z0-9]{0,10}$/.test(name)) throw new TypeError(`Cannot use the name "${name}": [a-z][a-z0-9]{0,10}`);
    if (this.#names.has(name)) throw new TypeError(`The name "${name}" is taken`);
    this.#names.add(name);
    return `crxn-${this.id}-${name}`;
  }
}
