/** All flows of the probe as its client sends them, and what became of them. */

import { lossOf } from "../checks/probe_loss.ts";
import { type Arrival, type Dropped, type Flow, type FlowName, FLOWS, type Through } from "../checks/probe_result.ts";
import { Program } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { hostAt } from "../gateway/networks.ts";
import { deviceTo, type ProbePlan, wholeSize } from "../gateway/probe_plan.ts";
import type { Counted, Side, Watch } from "../gateway/probe_points.ts";
import { linkOf, type Survey } from "../gateway/survey.ts";
import type { Client } from "./probe_client.ts";
import { ProbeTable } from "./probe_table.ts";
import { PORT, sendFlow, type Sizes } from "./probe_traffic.ts";
import type { Runner } from "./run.ts";

export class Sender implements AsyncDisposable {
  #counted?: Counted;

  private constructor(
    private readonly runner: Runner,
    private readonly client: Client,
    private readonly watch: Watch,
    private readonly sizes: Sizes,
    /** An address of the pool: which one the client has does not matter to routing. */
    private readonly pool: string,
    private readonly table: ProbeTable | undefined,
    /** A host that may not be there gets a few small pings only, and is not waited for as long. */
    private readonly guess: boolean,
  ) {}

  static async create(
    runner: Runner,
    blueprint: Blueprint,
    survey: Survey,
    client: Client,
    plan: ProbePlan,
  ): Promise<Sender> {
    const { config, facts, workers } = blueprint;
    const overlay = deviceTo(blueprint, plan.target);
    // Two doctors at a time must not count each other's packets.
    const id = 1 + crypto.getRandomValues(new Uint16Array(1))[0]! % 0x7ffe;
    const mtu = (name: string, otherwise: number) => linkOf(survey, name)?.mtu ?? otherwise;
    const watch: Watch = {
      client: client.address,
      mapped: plan.address,
      target: plan.target,
      device: client.device,
      translators: workers.map((w) => w.device),
      overlay,
      uplink: facts.uplink.name,
      small: id,
      large: 0x8000 + id,
      port: PORT,
      ...tunnelOf(blueprint, overlay),
    };
    const sizes: Sizes = {
      large: wholeSize(mtu(facts.uplink.name, facts.uplink.mtu), mtu(overlay, facts.overlayMtu)),
      ids: { small: watch.small, large: watch.large },
    };
    const table = await ProbeTable.open(runner, watch);
    return new Sender(runner, client, watch, sizes, hostAt(config.nat64!.pool, 2), table, plan.kind === "guess");
  }

  /** Whether packets are counted at each hook. */
  get counts(): boolean {
    return this.table !== undefined;
  }

  send(name: FlowName, count = this.guess ? 2 : 3): Promise<Flow> {
    const patience = { count, seconds: this.guess ? 0.5 : 1 };
    return sendFlow(this.client.runner, name, this.watch.mapped, this.sizes, patience);
  }

  /** @param small that flow, where it has been sent already */
  async sendAll(small: Flow | undefined): Promise<Through["flows"]> {
    const names = this.guess ? ["small" as const] : FLOWS;
    const sent = await Promise.all(names.map(async (name): Promise<[string, Flow]> => [
      name,
      name === "small" && small ? small : await this.send(name),
    ]));
    return Object.fromEntries(sent);
  }

  /** Reads the counters, once everything has been sent. */
  async count(): Promise<void> {
    this.#counted = await this.table?.read();
  }

  /** What was seen of the uplink besides. */
  arrived = (): Pick<Arrival, "solicited" | "left"> =>
    this.#counted ? { solicited: this.#counted.solicited, left: this.#counted.left } : {};

  /** Where a flow got lost that did not come back, and by whose doing. */
  async explain(flows: Through["flows"]): Promise<Through> {
    const { client, mapped, target, device, translators, overlay } = this.watch;
    const plain: Through = {
      ...{ client, device, target, mapped, translator: translators.join(" or "), overlay, flows },
      ...(this.#counted ? { counts: this.#counted.flows } : {}),
      ...(this.#counted?.tunnel && this.watch.tunnel
        ? { tunnel: { device: this.watch.tunnel.device, ...this.#counted.tunnel } }
        : {}),
    };
    const loss = FLOWS.map((flow) => lossOf(plain, flow)).find((l) => l !== undefined);
    if (!loss || !this.table) return plain;
    if (loss.in === "hook") {
      const dropped = await this.table.trace(loss.flow, () => this.send(loss.flow, 1));
      if (!dropped) return plain;
      const doubt = loss.side === "request6" || loss.side === "answer6" ? await this.#doubtOf(dropped) : undefined;
      return { ...plain, dropped: { ...dropped, flow: loss.flow }, ...(doubt ? { doubt } : {}) };
    }
    if (loss.in === "tunnel") {
      const way = loss.hook === "OUTPUT" ? "out" : "back";
      const dropped = await this.table.traceTunnel(way, () => this.send(loss.flow, 1));
      return dropped ? { ...plain, dropped: { ...dropped, flow: loss.flow } } : plain;
    }
    if (loss.in !== "route" && loss.in !== "beyond") return plain;
    const question = loss.in === "route" ? this.#routeOf(loss.side) : ["neighbour", "show", "dev", overlay];
    const [route, ipsec] = await Promise.all([
      this.#ask(question),
      loss.in === "route" ? this.#ask(["xfrm", "policy"]) : undefined,
    ]);
    return { ...plain, route, ...(ipsec && ipsec.output !== "" ? { ipsec } : {}) };
  }

  async #ask(question: string[]): Promise<{ command: string[]; output: string }> {
    const command = [Program.ip, ...question];
    const { stdout, stderr } = await this.runner.run(command);
    return { command, output: (stdout + stderr).trim() };
  }

  /** A firewall that knows the uplink by name may let real clients pass: the probe's own does not come by that. */
  async #doubtOf({ table, chain }: Dropped): Promise<string | undefined> {
    const { uplink } = this.watch;
    // nft(8) reads its words as a script.
    const words = table.split(" ").filter((word) => /^[\w./-]+$/.test(word));
    if (words.length !== 2) return undefined;
    const { stdout } = await this.runner.run([Program.nft, "list", "table", ...words]);
    if (!stdout.includes(`"${uplink}"`)) return undefined;
    return `${table} ${chain} asks for ${uplink}, by which the probe's own client does not come`;
  }

  /** What the kernel would do with such a packet: `get` of ip-route(8). */
  #routeOf(side: Side): string[] {
    const { client, mapped, target, device, translators: [translator = ""], overlay } = this.watch;
    const get = (to: string, from: string, iif: string) => ["route", "get", to, "from", from, "iif", iif];
    switch (side) {
      case "request6":
        return get(mapped, client, device);
      case "request4":
        return get(target, this.pool, translator);
      case "answer4":
        return get(this.pool, target, overlay);
      case "answer6":
        return get(client, mapped, translator);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.table?.[Symbol.asyncDispose]();
  }
}

/** The kernel tunnel that a device is, if it is one of ours. */
function tunnelOf({ config, facts, nodes }: Blueprint, device: string): Pick<Watch, "tunnel"> {
  const far = nodes.find((n) => n.device === device);
  const { kind } = facts.tunnel ?? {};
  if (config.overlay.type !== "yggdrasil" || !far || !kind || kind === "ckr") return {};
  const protocol = kind === "vxlan" ? "udp" : "gre";
  return { tunnel: { device: config.overlay.interface, far: far.address, protocol } };
}
