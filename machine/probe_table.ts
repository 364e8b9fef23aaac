/** Counts the probe's packets at every hook they pass, in an nftables table that goes with the nft that made it. nft(8). */

import { Program } from "../gateway/action.ts";
import {
  type Counted,
  parseCounters,
  traceLines,
  tunnelTraceLines,
  type Watch,
  watchTable,
} from "../gateway/probe_points.ts";
import type { Dropped, FlowName } from "../checks/probe_result.ts";
import { parseTrace } from "../checks/probe_trace.ts";
import type { Held, Runner } from "./run.ts";

export class ProbeTable implements AsyncDisposable {
  private constructor(
    private readonly runner: Runner,
    private readonly nft: Held,
    private readonly name: string,
    private readonly watch: Watch,
  ) {}

  /** @returns undefined where nft is missing, or refuses (a kernel before 5.12 has no owned tables) */
  static async open(runner: Runner, watch: Watch): Promise<ProbeTable | undefined> {
    const { device, translators, overlay, uplink, tunnel } = watch;
    if (![device, ...translators, overlay, uplink, tunnel?.device ?? device].every(isPlain)) return undefined;
    const nft = runner.start?.([Program.nft, "-i"]);
    if (!nft) return undefined;
    const table = new ProbeTable(runner, nft, watch.device, watch);
    await nft.say(watchTable(table.name, watch), `list table inet ${table.name}`);
    if (await nft.says(/^\s*flags owner/m, 3) && await table.read()) return table;
    await nft.end();
    return undefined;
  }

  async read(): Promise<Counted | undefined> {
    const { code, stdout } = await this.runner.run([Program.nft, "-j", "list", "counters", "table", "inet", this.name]);
    return code === 0 ? parseCounters(stdout) : undefined;
  }

  /**
   * Follows packets of one flow through all chains of nftables, those of iptables-nft included.
   * @param send sends one packet of that flow
   */
  trace(flow: FlowName, send: () => Promise<unknown>): Promise<Dropped | undefined> {
    return this.#follow(traceLines(this.name, flow, this.watch), send);
  }

  /** The same for the packets of the tunnel, by which the flow travels. */
  traceTunnel(way: "out" | "back", send: () => Promise<unknown>): Promise<Dropped | undefined> {
    return this.#follow(tunnelTraceLines(this.name, way, this.watch), send);
  }

  async #follow(lines: string[], send: () => Promise<unknown>): Promise<Dropped | undefined> {
    await using monitor = disposable(this.runner.start?.([Program.nft, "monitor", "trace"]));
    if (!monitor.held) return undefined;
    await this.nft.say(...lines, `list chain inet ${this.name} trace`);
    await this.nft.says(/chain trace/, 2);
    // It does not say when it has begun to listen: a packet that it knows nothing of came too early.
    for (let tries = 0; tries < 4 && !/trace id/.test(monitor.held.output()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await Promise.all([send(), monitor.held.says(/verdict drop\)|policy drop/, 1)]);
    }
    return parseTrace(monitor.held.output(), this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nft.end();
  }
}

/** Whether nft(8) takes a device's name for just that: the kernel lets it have quotes, and a star at its end would stand for more. */
const isPlain = (device: string) => /^[\w@.:+-]+$/.test(device);

const disposable = (held: Held | undefined) => ({
  held,
  [Symbol.asyncDispose]: async () => {
    await held?.end();
  },
});
