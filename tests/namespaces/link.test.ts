// The follower of an existing link, with the real ip(8) and the machine's own sh, in a network namespace of its own.

import { assert, assertEquals } from "@std/assert";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { Path } from "../../gateway/names.ts";

const [IP, UNSHARE] = ["/usr/sbin/ip", "/usr/bin/unshare"];
const reason = await obstacle();
if (reason) console.error(`\nTHE LINK'S FOLLOWER IS NOT TESTED HERE: ${reason}.\n`);

async function obstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "this is not Linux";
  if (Deno.uid() !== 0) return "it needs root";
  for (const program of [IP, UNSHARE]) {
    if (!(await Deno.stat(program).then(() => true, () => false))) return `there is no ${program}`;
  }
}

const CONFIG = `address: 10.5.0.1/32
overlay:
  type: interface
  interface: wg.0
  routes: [{to: 10.0.0.0/8}, {to: 172.20.0.0/14, via: 10.5.0.254}]
`;
const MINE = ["10.0.0.0/8 dev wg.0 proto 64 scope link", "172.20.0.0/14 via 10.5.0.254 dev wg.0 proto 64 onlink"];

/** A namespace with the follower in it; both go when it is disposed of. */
class Scene implements AsyncDisposable {
  #follower: Deno.ChildProcess;
  #said = "";
  #ended = false;

  private constructor(private readonly namespace: string, folder: string) {
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

  async kill(program: string): Promise<void> {
    const pids = (await run([IP, "netns", "pids", this.namespace])).split("\n").filter((pid) => pid !== "");
    for (const pid of pids) {
      if ((await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "")).trim() === program) Deno.kill(Number(pid));
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
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function run(argv: string[], codes = [0]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, { args: argv.slice(1), stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(codes.includes(code), `${argv.join(" ")}: ${code} ${text(stderr)}`);
  return text(stdout);
}

async function batch(namespace: string, commands: string[]): Promise<void> {
  for (const command of commands) await run([IP, "-n", namespace, ...command.split(" ")]);
}

/** As wg-quick does it: made, given an address, brought up. veth shows as `wg.0@far`. */
const MADE = ["link add wg.0 type veth peer name far", "link set far up"];
const UP = "link set wg.0 up";

const test = (name: string, body: () => Promise<void>) => Deno.test({ name, ignore: reason !== undefined, fn: body });

test("link.sh: a link that is up at its start is served, and a down that nobody saw the end of as well", async () => {
  await using scene = await Scene.create([...MADE, UP]);
  assertEquals((await scene.there()).routes, [], "not at once: whoever brings it up is let finish");
  await scene.served();
  await scene.ip("link set wg.0 down", UP);
  assertEquals((await scene.there()).routes, [], "the kernel has dropped them");
  await scene.served();
  assertEquals(scene.said.filter((line) => !/^wg\.0 is (up, with|down or gone)/.test(line)), []);
});

test("link.sh: a link that comes late, goes, and is made anew", async () => {
  await using scene = await Scene.create();
  await pause(1500);
  await scene.ip(...MADE);
  await pause(500);
  assertEquals((await scene.there()).addresses, [], "nothing is put on a link that is being made");
  await scene.ip(UP);
  await scene.served();
  for (let i = 0; i < 2; i++) {
    await scene.ip("link del wg.0");
    assertEquals((await scene.there()).routes, []);
    await scene.ip(...MADE, UP);
    await scene.served();
  }
  // However often in a row: what is over is not waited for.
  for (let i = 0; i < 8; i++) await scene.ip("link del wg.0", ...MADE, UP);
  await scene.served(5);
  assertEquals(scene.said.filter((line) => line === "wg.0 is up, with its address and routes").length, 4);
  assertEquals(scene.said.filter((line) => !/^wg\.0 is (up, with|down or gone)/.test(line)), []);
});

test("link.sh: what somebody else has put there is left, and nothing is done twice", async () => {
  await using scene = await Scene.create();
  await pause(1200);
  await scene.ip(...MADE, "address add 10.5.0.1/32 dev wg.0", UP, "route add 10.0.0.0/8 dev wg.0");
  const end = performance.now() + 6000;
  while (!scene.said.some((line) => line.includes("is up, with")) && performance.now() < end) await pause(100);
  assertEquals(await scene.there(), {
    addresses: ["10.5.0.1/32"],
    routes: ["10.0.0.0/8 dev wg.0 scope link", MINE[1]],
  });
  // Neither its own doing, nor other links, nor what else happens to this one is a reason to begin again.
  await scene.ip("link set wg.0 mtu 1400", "link set wg.0 alias x-<UP>", "route del 172.20.0.0/14");
  await scene.ip("link add wg.01 type veth peer name wg.0x", "link set wg.01 up", "link set wg.0x up");
  await scene.ip("link add wgx0 type veth peer name x", "link set wgx0 up", "link del wgx0");
  await pause(3000);
  assertEquals((await scene.there()).routes, ["10.0.0.0/8 dev wg.0 scope link"]);
  assertEquals(scene.said, ["wg.0 is up, with its address and routes"]);
  await pause(6000);
  assertEquals((await scene.processes()).sort(), ["ip", "sh", "sh"], "idle, it only waits");
});

test("link.sh: what cannot be put on it is said once, and the rest is there", async () => {
  await using scene = await Scene.create([...MADE, UP, "address add 10.5.0.254/32 dev wg.0"]);
  const end = performance.now() + 6000;
  while (!scene.said.some((line) => line.includes("not all")) && performance.now() < end) await pause(100);
  assertEquals((await scene.there()).routes, [MINE[0]]);
  await pause(3000);
  assertEquals(scene.said.filter((line) => line.startsWith("wg.0")), ["wg.0 is up, but not all could be put on it"]);
});

test("link.sh: it ends with its monitor, so that systemd starts it anew", async () => {
  await using scene = await Scene.create();
  await pause(10_500);
  assert(!scene.ended, "it waits for as long as it takes");
  await scene.kill("ip");
  await pause(500);
  assert(scene.ended, "it goes on without its monitor");
});
