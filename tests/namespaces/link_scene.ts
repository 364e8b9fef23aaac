// A follower of an existing link in a network namespace of its own, with the real ip(8) and the machine's own sh.

import { assert } from "@std/assert";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { Path } from "../../gateway/names.ts";

const IP = "/usr/sbin/ip";

const CONFIG = `address: 10.5.0.1/32
overlay:
  type: interface
  interface: wg.0
  routes: [{to: 10.0.0.0/8}, {to: 172.20.0.0/14, via: 10.5.0.254}]
`;
/** What it puts on the link, as `ip route show` prints it. */
export const MINE = [
  "10.0.0.0/8 dev wg.0 proto 64 scope link",
  "172.20.0.0/14 via 10.5.0.254 dev wg.0 proto 64 onlink",
];

/** A namespace with the follower in it; both go when it is disposed of. */
export class Scene implements AsyncDisposable {
  #follower: Deno.ChildProcess;
  #said = "";
  #ended = false;

  private constructor(private readonly namespace: string, private readonly folder: string) {
    const argv = ["netns", "exec", namespace, "/bin/sh", `${folder}/link.sh`];
    this.#follower = new Deno.Command(IP, { args: argv, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
    for (const stream of [this.#follower.stdout, this.#follower.stderr]) void this.#listen(stream);
    void this.#follower.status.then(() => this.#ended = true);
  }

  /** @param links `ip` commands that run before the follower does */
  static async create(links: string[] = []): Promise<Scene> {
    const folder = await Deno.makeTempDir();
    const facts = {
      uplink: { name: "lo", mtu: 65536 },
      advertised: [],
      overlayMtu: 1420,
      drops: { INPUT: { inet: false, inet6: false }, FORWARD: { inet: false, inet6: false } },
    };
    const plan = blueprint(await parseConfig(CONFIG, "crxn.yaml"), facts);
    const script = plan.items.find((i) => i.kind === "file" && i.path === Path.linkScript);
    assert(script?.kind === "file");
    await Deno.writeTextFile(`${folder}/link.sh`, script.content);
    const namespace = `crxn-link-${crypto.randomUUID().slice(0, 6)}`;
    await run([IP, "netns", "add", namespace]);
    await batch(namespace, ["link set lo up", ...links]);
    return new Scene(namespace, folder);
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#said += text;
  }

  ip = (...commands: string[]) => batch(this.namespace, commands);

  /** Many at once, by one process. */
  async input(commands: string[]): Promise<void> {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, commands.join("\n") + "\n");
    await run([IP, "-n", this.namespace, "-batch", file]);
    await Deno.remove(file);
  }

  get said(): string[] {
    return this.#said.split("\n").filter((line) => line !== "");
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What is on the link, but for its own IPv6 address: IPv4 addresses, and routes of the main table. */
  async there(): Promise<{ addresses: string[]; routes: string[] }> {
    const addresses = await run([IP, "-n", this.namespace, "-4", "-o", "address", "show", "dev", "wg.0"], [0, 1]);
    const routes = await run([IP, "-n", this.namespace, "-4", "route", "show"]);
    return {
      addresses: [...addresses.matchAll(/inet (\S+)/g)].map(([, address]) => address!),
      routes: routes.split("\n").map((line) => line.trim()).filter((line) => line !== "").sort(),
    };
  }

  /** Waits until all of it is on the link. */
  async served(seconds = 6): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const { addresses, routes } = await this.there();
      if (addresses.includes("10.5.0.1/32") && MINE.every((route) => routes.includes(route))) return;
      if (performance.now() > end) {
        throw new Error(`After ${seconds} s: ${addresses} ${routes.join("; ")}\n${this.said.join("\n")}`);
      }
      await pause(100);
    }
  }

  /** Every process of the follower, by the names of the programs. */
  async processes(): Promise<string[]> {
    const pids = (await run([IP, "netns", "pids", this.namespace])).split("\n").filter((pid) => pid !== "");
    return await Promise.all(pids.map(async (pid) => (await Deno.readTextFile(`/proc/${pid}/comm`)).trim()));
  }

  async kill(program: string, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const pids = (await run([IP, "netns", "pids", this.namespace])).split("\n").filter((pid) => pid !== "");
    for (const pid of pids) {
      if ((await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "")).trim() === program) {
        Deno.kill(Number(pid), signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of (await run([IP, "netns", "pids", this.namespace])).split("\n").filter((p) => p !== "")) {
      try {
        Deno.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended with another.
      }
    }
    await this.#follower.status;
    await run([IP, "netns", "del", this.namespace]);
    await Deno.remove(this.folder, { recursive: true });
  }
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function run(argv: string[], codes = [0]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, { args: argv.slice(1), stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(codes.includes(code), `${argv.join(" ")}: ${code} ${text(stderr)}`);
  return text(stdout);
}

async function batch(namespace: string, commands: string[]): Promise<void> {
  for (const command of commands) await run([IP, "-n", namespace, ...command.split(" ")]);
}
