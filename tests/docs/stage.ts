/** A scene of the docs while it is played: machines, and the blocks that are run on them. */

import { assert } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import type { Lab, Machine, Namespace } from "../rig/mod.ts";
import { Typist } from "../rig/typist.ts";
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
    const { needs, keys, ...changed } = block.given;
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
      if (keys !== undefined) return await this.#typed(block, machine, text, keys.split(","));
      if (block.kind === "sh") return void await machine.must(`cd /root\n${text}`, { timeoutSeconds: 300 });
      for (const { command, prints } of sessionOf(text)) await this.#turn(block, machine, command, prints);
    } finally {
      if (before !== undefined) await machine.write(CONFIG, before);
    }
  }

  /** On a terminal, with answers to what is asked. */
  async #typed({ page, line, kind }: Block, machine: Machine, text: string, keys: string[]): Promise<void> {
    const turns = kind === "sh"
      ? text.split("\n").filter((l) => l !== "").map((l) => ({ command: l.replace(/\s+#.*$/, ""), prints: "" }))
      : sessionOf(text);
    const typist = new Typist(machine);
    for (const { command, prints } of turns) {
      // What goes on for ever is ended as a person does.
      const endless = /--(follow|watch)\b/.test(command);
      const ended = await typist.ends(endless ? `timeout --foreground -s INT 4 ${command}` : command, keys);
      const where = `${page}:${line}: ${command}`;
      const fine = [0, ...(command.includes("--dry-run") ? [2] : []), ...(endless ? [124, 130] : [])];
      if (prints.trim() === "") assert(fine.includes(ended.code), `${where} ended with ${ended.code}: ${ended.text}`);
      else assertPrints(where, prints, ended.text);
    }
  }

  async #turn({ page, line }: Block, machine: Machine, command: string, prints: string): Promise<void> {
    const { code, stdout } = await machine.run(["sh", "-c", `cd /root; { ${command}\n} 2>&1`], { timeoutSeconds: 300 });
    const fine = command.includes("--dry-run") ? [0, 2] : [0];
    if (prints.trim() === "") assert(fine.includes(code), `${page}:${line}: ${command} ended with ${code}: ${stdout}`);
    else assertPrints(`${page}:${line}: ${command}`, prints, stdout);
  }
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

function assertPrints(where: string, prints: string, printed: string): void {
  const shown = prints.split("\n").filter((l) => l.trim() !== "").join("\n");
  assert(patternOf(shown).test(printed), `${where}\n--- the docs show\n${shown}\n--- it printed\n${printed}`);
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
