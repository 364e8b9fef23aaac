/** A scene of the docs while it is played: machines, and the blocks that are run on them. */

import { assert, assertEquals } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import type { Lab, Machine, Namespace } from "../rig/mod.ts";
import { type Chapter, CONFIG } from "../machines/story.ts";
import { allBlocks, type Block, sessionOf } from "./blocks.ts";
import { patternOf } from "./match.ts";

const YGGDRASIL = "/etc/yggdrasil/yggdrasil.conf";

/** What is on the stage besides machines. */
export interface Props {
  client: Namespace;
  machines: Record<string, Machine>;
  /** Public keys, by machine. */
  keys?: Record<string, string>;
  /** What stands for what in the docs' words, such as OWN. */
  words?: Record<string, string>;
}

export class Stage {
  readonly blocks: Block[];
  client!: Namespace;
  machines: Record<string, Machine> = {};
  keys: Record<string, string> = {};
  words: Record<string, string> = {};

  constructor(readonly scene: string, readonly lab: Lab, readonly chapter: Chapter) {
    this.blocks = allBlocks().filter((b) => b.scene === scene);
  }

  set(props: Props): void {
    this.client = props.client;
    this.machines = props.machines;
    this.keys = props.keys ?? this.keys;
    this.words = { ...this.words, ...props.words };
  }

  get gw(): Machine {
    return this.machines["gw"]!;
  }

  get node(): Machine {
    return this.machines["node"]!;
  }

  /** The docs' words for this machine: keys, addresses and names are those of the lab. */
  here(machine: string, text: string): string {
    const keyIn = (line: string) => {
      const remark = / # (.*)$|\s(\(.*\))$/.exec(line)?.[1] ?? "";
      const named = Object.keys(this.keys).find((name) =>
        remark.includes(name) || (name === "gw" && /gateway/.test(remark))
      );
      const other = Object.keys(this.keys).find((name) => name !== machine);
      return this.keys[named ?? other ?? ""] ?? "";
    };
    const lines = text.split("\n").map((line) => line.replace(/\b[0-9a-f]{64}\b/g, (key) => keyIn(line) || key));
    const uplink = (name: string) => this.machines[name]?.uplink;
    const all: Record<string, string> = {
      ...(uplink("gw") ? { "2001:db8:9::10": uplink("gw")!.ipv6 } : {}),
      ...(uplink("node") ? { "192.0.2.11": uplink("node")!.ipv4 } : {}),
      ...this.words,
    };
    return Object.entries(all).reduce((t, [from, to]) => t.replaceAll(from, to), lines.join("\n"));
  }

  /** Puts the configs and files of the docs in their places. */
  async files(which: (block: Block) => boolean = () => true): Promise<void> {
    for (const block of this.blocks.filter(which)) {
      for (const name of block.machines) await this.#file(block, name, this.machines[name]!);
    }
  }

  async #file({ kind, words, text, path }: Block, name: string, machine: Machine): Promise<void> {
    const own = this.here(name, text);
    if (kind === "yaml" && !words.includes("part")) await machine.write(CONFIG, own);
    if (kind === "yaml" && words.includes("part")) {
      const whole = parse(await machine.read(CONFIG)) as { overlay: Record<string, unknown> };
      const part = parse(own) as Record<string, unknown>;
      const overlay = "overlay" in part ? part["overlay"] as Record<string, unknown> : part;
      await machine.write(CONFIG, stringify({ ...whole, overlay: { ...whole.overlay, ...overlay } }));
    }
    if (kind === "ini") await machine.write(path!, own, path!.includes("wireguard") ? 0o600 : 0o644);
    if (kind === "hjson") {
      // HJSON takes the last of two settings of one name.
      const conf = (await machine.read(YGGDRASIL)).trimEnd().replace(/\}$/, "");
      await machine.write(YGGDRASIL, `${conf}\n${own}\n}\n`, 0o640);
      await machine.must(["chgrp", "yggdrasil", YGGDRASIL]);
    }
  }

  /** Runs the sessions of the docs: those before the gateway is up, or the others. */
  async play(which: (block: Block) => boolean): Promise<void> {
    const chosen = this.blocks.filter((b) => (b.kind === "console" || b.kind === "sh") && which(b));
    for (const block of chosen) {
      for (const name of block.machines) {
        await this.chapter(`${block.page}:${block.line} on ${name}`, () => this.#session(block, name));
      }
    }
  }

  async #session(block: Block, name: string): Promise<void> {
    const machine = this.machines[name]!;
    const { needs, ...changed } = block.given;
    const hasGre =
      (await machine.run(["sh", "-c", "ip link add probe0 type ip6gre local ::1 remote ::2 && ip link del probe0"]))
        .code === 0;
    if ((needs === "ip6gre" && !hasGre) || (needs === "no-ip6gre" && hasGre)) {
      console.log(`NOT RUN HERE: ${block.page}:${block.line} wants a kernel with${hasGre ? "out" : ""} ip6gre`);
      return;
    }
    const before = Object.keys(changed).length > 0 ? await machine.read(CONFIG) : undefined;
    if (before !== undefined) await machine.write(CONFIG, changedConfig(before, changed));
    try {
      const text = this.here(name, block.text);
      if (block.kind === "sh") return void await machine.must(text, { timeoutSeconds: 300 });
      for (const { command, prints } of sessionOf(text)) await this.#turn(block, machine, command, prints);
    } finally {
      if (before !== undefined) await machine.write(CONFIG, before);
    }
  }

  async #turn({ page, line }: Block, machine: Machine, command: string, prints: string): Promise<void> {
    const { code, stdout } = await machine.run(["sh", "-c", `cd /root; { ${command}\n} 2>&1`], { timeoutSeconds: 300 });
    if (prints.trim() === "") return assertEquals(code, 0, `${page}:${line}: ${command}: ${stdout}`);
    const shown = prints.split("\n").filter((l) => l.trim() !== "").join("\n");
    assert(
      patternOf(shown).test(stdout),
      `${page}:${line}: ${command}\n--- the docs show\n${shown}\n--- it printed\n${stdout}`,
    );
  }
}

/** `tunnel=vxlan`, `via=KEY`: for the length of a session. */
function changedConfig(text: string, changed: Record<string, string>): string {
  const config = parse(text) as { overlay: { routes: { via?: string }[] } & Record<string, unknown> };
  for (const [key, value] of Object.entries(changed)) {
    if (key === "via") config.overlay.routes[0]!.via = value;
    else config.overlay[key] = value;
  }
  return stringify(config);
}
