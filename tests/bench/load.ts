/** Loads for the wire: iperf3(1) between two places, one process for each client, and pings. */

import type { Machine, Namespace } from "../rig/mod.ts";
import type { Requirement } from "../rig/requirements.ts";
import { median } from "./plainly.ts";

export const LOAD_REQUIREMENTS: readonly Requirement[] = [{ file: "/usr/bin/iperf3", package: "iperf3" }];

export interface Load {
  protocol: "tcp" | "udp";
  /** From the client, or to it. */
  towards: "overlay" | "client";
  /** Of UDP: bytes of payload, and bits per second that each client sends at most. */
  size?: number;
  rate?: number;
  /** How long it lasts. */
  seconds: number;
}

const PORT = 5201;

/** @param sources an address of the client namespace for each client */
export async function carried(
  client: Namespace,
  host: Namespace,
  target: string,
  sources: string[],
  { protocol, towards, size, rate, seconds }: Load,
): Promise<void> {
  const servers = sources.map((_, i) => host.run(["timeout", "60", "iperf3", "-s", "-1", "-J", "-p", `${PORT + i}`]));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const udp = protocol === "udp" ? ["-u", "-l", `${size}`, "-b", `${rate ?? 0}`] : [];
  const back = towards === "client" ? ["-R"] : [];
  const answers = await Promise.all(sources.map((from, i) =>
    // deno-fmt-ignore
    client.run(["timeout", "55", "iperf3", "-J", "-c", target, "-B", from, "-p", `${PORT + i}`, "-t", `${seconds}`,
      "--connect-timeout", "15000", ...udp, ...back])
  ));
  await Promise.all(servers);
  // The gateway's counters tell what was carried; a flood may well keep iperf3 from its last words.
  const silent = answers.filter(({ stdout }) => !(JSON.parse(stdout || "{}").intervals?.length > 0));
  if (silent.length > 0) {
    throw new Error(`of ${sources.length} clients ${silent.length} sent nothing: ${silent[0]!.stdout}`);
  }
}

/** By how many pings, one after the other: the CPU on which one is run is chance, and counts where packets are handed over. */
const PINGS = 8;

/** Milliseconds of round trips, one after the other: the median. */
export async function latency(client: Namespace, target: string, count = 400): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < PINGS; n++) {
    const { stdout } = await client.run(["ping", "-n", "-i", "0.005", "-c", `${count / PINGS}`, "-W", "1", target]);
    times.push(...[...stdout.matchAll(/time=([\d.]+) ms/g)].map((m) => Number(m[1])));
  }
  if (times.length < count / 2) throw new Error(`of ${count} pings ${times.length} came back`);
  return median(times);
}

/** A flood of some clients may keep another one's iperf3 from its first words: then that load is begun anew. */
export async function between(...what: Parameters<typeof once>): ReturnType<typeof once> {
  for (let tries = 1;; tries++) {
    try {
      return await once(...what);
    } catch (error) {
      if (tries === 4) throw error;
      console.log(`once more: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/**
 * What leaves the gateway by a device in two seconds of a load, in Mbit/s and thousand packets per second: what iperf3 says
 * itself counts what lay in queues before.
 */
async function once(
  gw: Machine,
  device: string,
  load: () => Promise<unknown>,
): Promise<{ mbits: number; packets: number }> {
  const look = async () => {
    const [link]: { stats64: { tx: { bytes: number; packets: number } } }[] = JSON.parse(
      await gw.must(["ip", "-j", "-s", "link", "show", "dev", device]),
    );
    return { ...link!.stats64.tx, at: performance.now() };
  };
  const running = load();
  // Whoever waits for it hears of its fault.
  running.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 1800));
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const after = await look();
  await running;
  const ms = after.at - before.at;
  return { mbits: (after.bytes - before.bytes) * 8 / 1000 / ms, packets: (after.packets - before.packets) / ms };
}
