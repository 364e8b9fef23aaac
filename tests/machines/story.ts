import { assert, assertEquals } from "@std/assert";
import type { Debian } from "../rig/images.ts";
import {
  installProduct,
  type Lab,
  type Machine,
  type MachineOptions,
  type Namespace,
  type Net,
  type Output,
  type OverlayHost,
  ping,
  type Place,
  until,
} from "../rig/mod.ts";

// What the stories about crxn on machines have in common. The network is that of the operator's notes.

/** The Debians that every story is told on. */
export const DEBIANS: readonly Debian[] = ["bookworm", "trixie"];

/**
 * Those that a long story is told on in a sample: one of them, by CRXN_SEED or at random. With CRXN_FAULTS=all on both, as
 * `test:all` has it.
 */
export function someDebians(story: string): readonly Debian[] {
  if (Deno.env.get("CRXN_FAULTS") === "all") return DEBIANS;
  const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const debian = DEBIANS[seed % 2]!;
  console.log(
    `${story}: on ${debian} only; CRXN_SEED=${seed} does that again, CRXN_FAULTS=all tells it on both Debians`,
  );
  return [debian];
}

/** Which of so many chapters a sample has: one of them, by CRXN_SEED or at random; with CRXN_FAULTS=all each. */
export function someChapters(story: string, number: number): boolean[] {
  const chapters = Array.from({ length: number }, () => true);
  if (Deno.env.get("CRXN_FAULTS") === "all") return chapters;
  const seed = Number(Deno.env.get("CRXN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const one = seed % number;
  console.log(`${story}: chapter ${one + 1} of ${number}; CRXN_SEED=${seed} tells it again, CRXN_FAULTS=all tells all`);
  return chapters.map((_, i) => i === one);
}

export const CONFIG = "/etc/crxn/crxn.yaml";
/** What the Internet routes to the gateway. */
export const ROUTED = "2a04:5b80:300:4::/64";
/** A host of the overlay, and its address in the gateway's prefix. */
export const HOST = "10.1.0.3";
export const MAPPED = "2a04:5b80:300:4::a01:3";

/** A gateway whose overlay is the existing link ovl0. */
export const INTERFACE_GATEWAY = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: interface
  interface: ovl0
  routes:
    - to: 10.0.0.0/8
`;

/** Tells one chapter of a story; the story ends where a chapter fails. */
export type Chapter = (name: string, body: () => Promise<unknown>) => Promise<void>;

/** Chapters are steps of a test; a step that failed does not stop a test by itself. */
export function chaptersOf(t: Deno.TestContext): Chapter {
  return async (name, body) => {
    const passed = await t.step(name, async () => void await body());
    if (!passed) throw new Error(`The story ends at: ${name}`);
  };
}

/** A client, a gateway-to-be with crxn on it, and a host of the overlay behind the gateway's link ovl0. */
export interface Scene {
  net: Net;
  client: Namespace;
  gw: Machine;
  host: OverlayHost;
}

/** Sets the scene of a gateway over an existing link. `machine` says what the gateway is made of. */
export async function sceneOf(lab: Lab, machine: Omit<MachineOptions, "uplink">): Promise<Scene> {
  const net = await lab.internet();
  const [client, gw] = [await net.client(), await lab.machine("gw", { ...machine, uplink: net })];
  const host = await lab.overlayHost(gw, "ovl0");
  await net.route(ROUTED, gw);
  await installProduct(gw);
  await gw.write(CONFIG, INTERFACE_GATEWAY);
  return { net, client, gw, host };
}

/** Everything that crxn has said so far on a machine. */
const said = new WeakMap<Place, string[]>();

/** Keeps what crxn printed for {@linkcode allSaid}. */
export const note = (machine: Place, text: string): void => void said.set(machine, [...said.get(machine) ?? [], text]);

/** All that crxn printed on this machine since the test began. */
export const allSaid = (machine: Place): string => (said.get(machine) ?? []).join("\n");

/** Runs crxn on a machine and expects that exit code. Whatever the code, no user is shown a stack trace. */
export async function crxn(machine: Place, args: string, exit = 0): Promise<Output> {
  return checked(machine, `crxn ${args}`, await machine.run(["crxn", ...args.split(" ")]), exit);
}

/** What {@linkcode crxn} expects of an exit code and an output. */
export function checked(machine: Place, what: string, output: Output, exit: number): Output {
  const text = `${output.stdout}\n${output.stderr}`;
  note(machine, text);
  assertEquals(output.code, exit, `${what} on ${machine.name} ended with ${output.code}, not ${exit}:\n${text}`);
  assert(!/^\s+at .*:\d+:\d+/m.test(text), `${what} printed a stack trace:\n${text}`);
  return output;
}

/** Takes the binary away: what runs from now on runs without crxn. */
export async function removeProduct(machine: Place): Promise<void> {
  await machine.must(["rm", "/usr/local/bin/crxn"]);
}

/** The ping through the gateway must fail. */
export async function assertSilent(from: Place, address = MAPPED): Promise<void> {
  assertEquals((await ping(from, address, { count: 2 })).received, 0, `${address} answers, and must not`);
}

/** The ping through the gateway must succeed, three times out of three. */
export async function assertAnswers(from: Place, address = MAPPED): Promise<void> {
  assertEquals(await ping(from, address), { sent: 3, received: 3 }, `${address} does not answer`);
}

/** Waits until an address answers. @throws {Error} when it took longer than `seconds` */
export async function answersWithin(seconds: number, from: Place, address = MAPPED): Promise<void> {
  const start = performance.now();
  await until(
    `${address} to answer`,
    seconds,
    async () => (await ping(from, address, { count: 1 })).received || undefined,
  );
  const took = (performance.now() - start) / 1000;
  assert(took <= seconds, `${address} took ${took.toFixed(1)} s to answer, not ${seconds}`);
}

/**
 * Waits until every address has answered for three seconds without a loss. A yggdrasil that has just found a peer looks
 * for its paths once more about a second later, and loses packets for up to a second then (docs/facts.md): whoever counts
 * losses begins after that.
 * @throws {Error} when something is still lost after `seconds`
 */
export async function steadyWithin(seconds: number, from: Place, ...addresses: string[]): Promise<void> {
  const count = 30;
  await until(`${addresses.join(" and ")} to answer without a loss`, seconds, async () => {
    const tries = await Promise.all(addresses.map((address) => ping(from, address, { count, interval: 0.1 })));
    return tries.every(({ received }) => received === count) || undefined;
  });
}

/** SIGKILL to a unit's process; the path must work again, by another process, after `seconds` at most. */
export async function killAndWait(machine: Place, unit: string, seconds: number, from: Namespace): Promise<void> {
  const pid = async () => (await machine.must(["systemctl", "show", "-P", "MainPID", unit])).trim();
  const before = await pid();
  await machine.must(["kill", "-KILL", before]);
  await answersWithin(seconds, from);
  const after = await pid();
  assert(after !== before && after !== "0", `${unit} is process ${after}, after ${before} was killed`);
}

/** What must not move when nothing is to be done: the journal, and since when crxn's units run. */
export async function stateOf(machine: Place): Promise<string> {
  const units =
    "crxn-overlay crxn-link crxn-firewall $(systemctl list-units --plain --no-legend 'tayga@*' 'yggdrasil*' | cut -d' ' -f1)";
  return await machine.must(
    `sha256sum /var/lib/crxn/journal.jsonl; systemctl show -p Id,ActiveEnterTimestampMonotonic,MainPID ${units}`,
  );
}

/** `up` on a machine that is up: the plan is empty, and doing it moves nothing. */
export async function assertNothingToDo(machine: Place): Promise<void> {
  const before = await stateOf(machine);
  const { stdout, stderr } = await crxn(machine, "up --dry-run");
  assert(/no changes|nothing to do/i.test(stdout + stderr), `up --dry-run says: ${stdout}${stderr}`);
  await crxn(machine, "up --yes");
  assertEquals(await stateOf(machine), before);
}
