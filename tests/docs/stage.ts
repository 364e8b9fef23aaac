/** A scene of the docs while it is played: machines, and the blocks that are run on them. */

import { assertEquals } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import { type Lab, type Machine, type Namespace, run } from "../rig/mod.ts";
import { Typist } from "../rig/typist.ts";
import { YGGDRASIL } from "../machines/pair.ts";
import { type Chapter, chaptersOf, CONFIG } from "../machines/story.ts";
import { allBlocks, type Block, sessionOf } from "./blocks.ts";
import { faultOf, isEndless, type Turn } from "./verdict.ts";

/** What the scenes are played on. */
export const DEBIAN = "trixie";

type Which = (block: Block) => boolean;

export const all: Which = () => true;
export const isBefore: Which = ({ words }) => words.includes("before");
export const isAfter: Which = (block) => !isBefore(block);
const isTyped: Which = ({ kind }) => kind === "console" || kind === "sh";

/** Machines of the rig have this host's kernel. In a namespace of its own, which goes with the process. */
const hasGre = async (): Promise<boolean> => {
  const link = ["ip", "link", "add", "crxn-try", "type", "ip6gre", "local", "::1", "remote", "::2"];
  return (await run(["unshare", "--net", ...link])).code === 0;
};

/** What is on the stage besides machines. */
interface Props {
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
  readonly chapter: Chapter;
  /** What was on the stage so far. */
  readonly #played = new Set<string>();

  constructor(readonly scene: string, readonly lab: Lab, readonly t: Deno.TestContext) {
    this.blocks = allBlocks().filter((b) => b.scene === scene);
    this.chapter = chaptersOf(t);
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

  /** Each block on each of its machines, without those that were played, or are skipped on this kernel. */
  unplayed(): string[] {
    return this.blocks.flatMap((block) => block.machines.map((name) => placeOf(block, name)))
      .filter((place) => !this.#played.has(place));
  }

  /** @throws when the docs have none such any more, which the scene was written for */
  #chosen(which: Which): [Block, string][] {
    const chosen = this.blocks.filter(which).flatMap((b) => b.machines.map((name): [Block, string] => [b, name]));
    if (chosen.length === 0) throw new Error(`scene ${this.scene}: the docs have no block for ${which}`);
    for (const [block, name] of chosen) this.#played.add(placeOf(block, name));
    return chosen;
  }

  /** Puts the configs and files of the docs in their places. */
  async files(which: Which = all): Promise<void> {
    for (const [block, name] of this.#chosen((b) => !isTyped(b) && which(b))) {
      await this.#file(block, name, this.machines[name]!);
    }
  }

  async #file({ kind, words, text, path }: Block, name: string, machine: Machine): Promise<void> {
    const own = this.here(name, text);
    if (kind === "yaml" && !words.includes("part")) await machine.write(CONFIG, own);
    if (kind === "yaml" && words.includes("part")) {
      const whole = parse(await machine.read(CONFIG)) as { overlay: Record<string, unknown> };
      const part = parse(own) as Record<string, unknown>;
      await machine.write(CONFIG, stringify(merged(whole, part)));
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
  async play(which: Which): Promise<void> {
    for (const [block, name] of this.#chosen((b) => isTyped(b) && which(b))) {
      const place = placeOf(block, name);
      const { needs } = block.given;
      if (needs && (needs === "ip6gre") !== await hasGre()) {
        await this.t.step({ name: `${place} (NOT RUN: wants a kernel with ${needs})`, ignore: true, fn: () => {} });
      } else await this.chapter(place, () => this.#session(block, name));
    }
  }

  async #session(block: Block, name: string): Promise<void> {
    const machine = this.machines[name]!;
    const { needs: _, keys, exit, ...changed } = block.given;
    const before = Object.keys(changed).length > 0 ? await machine.read(CONFIG) : undefined;
    if (before !== undefined) await machine.write(CONFIG, changedConfig(before, changed));
    try {
      const text = this.here(name, block.text);
      if (block.kind === "sh" && keys === undefined) {
        return void await machine.must(`cd /root\n${text}`, { timeoutSeconds: 300 });
      }
      const turns: Turn[] = block.kind === "sh"
        ? text.split("\n").filter((l) => l !== "").map((l) => ({ command: l.replace(/\s+#.*$/, ""), prints: "" }))
        : sessionOf(text).map((turn) => ({ ...turn, ...(exit ? { exit: Number(exit) } : {}) }));
      for (const turn of turns) {
        const ended = await (keys === undefined ? untyped(machine, turn) : typed(machine, turn, keys.split(",")));
        const fault = faultOf(turn, ended);
        assertEquals(fault, undefined, `${block.page}:${block.line}: ${turn.command} ${fault}`);
      }
    } finally {
      if (before !== undefined) await machine.write(CONFIG, before);
    }
  }
}

const placeOf = ({ page, line }: Block, name: string) => `${page}:${line} on ${name}`;

/** On a terminal, with answers to what is asked. */
function typed(machine: Machine, turn: Turn, keys: string[]): Promise<{ code: number; text: string }> {
  const command = isEndless(turn) ? `timeout --foreground -s INT 4 ${turn.command}` : turn.command;
  return new Typist(machine).ends(command, keys);
}

async function untyped(machine: Machine, { command }: Turn): Promise<{ code: number; text: string }> {
  const { code, stdout } = await machine.run(["sh", "-c", `cd /root; { ${command}\n} 2>&1`], { timeoutSeconds: 300 });
  return { code, text: stdout };
}

/** Keys of the whole config, or of its overlay. */
export function merged(
  whole: { overlay: Record<string, unknown> },
  part: Record<string, unknown>,
): Record<string, unknown> {
  const { overlay = {}, ...rest } = ["overlay", "nat64", "upkeep"].some((key) => key in part)
    ? part
    : { overlay: part };
  return { ...whole, ...rest, overlay: { ...whole.overlay, ...overlay as Record<string, unknown> } };
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
