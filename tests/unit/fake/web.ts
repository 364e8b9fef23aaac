/** What a fake machine can download, and take out of packages. */

import { sha256 } from "../../rig/paths.ts";
import { type Answer, ok, refused } from "./answer.ts";
import type { FakeMachine } from "./machine.ts";

/** A program for this machine (or another) that does nothing: an ELF header, and something to tell it by. */
export function elf(more = "", machine = Deno.build.arch === "x86_64" ? 62 : 183): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  header.set([2, 0, machine & 255, machine >> 8], 16);
  return join(header, more);
}

/** A package with these executables: only the fake dpkg-deb can read it. */
export const deb = (programs: Record<string, Uint8Array>): Uint8Array =>
  join(
    new Uint8Array(),
    `!<arch>\n${JSON.stringify(Object.entries(programs).map(([path, bytes]) => [path, [...bytes]]))}`,
  );

export class FakeWeb {
  readonly pages = new Map<string, Uint8Array>([["https://example.net/fetched", elf("fetched")]]);
  /** An apt that does not look at sums. */
  careless = false;

  constructor(private readonly machine: Pick<FakeMachine, "folder">) {}

  async aptHelper(words: string[]): Promise<Answer> {
    const [url, target, hash] = words.slice(words.indexOf("download-file") + 1) as [string, string, string];
    const page = this.pages.get(url);
    if (!page) return refused(`E: Failed to fetch ${url}  404  Not Found [IP: 192.0.2.9 80]\nE: Download Failed`, 100);
    const sum = await sha256(page);
    if (!this.careless && hash !== `SHA256:${sum}`) {
      const text = `E: Failed to fetch ${url}  Hash Sum mismatch\n   Hashes of expected file:\n    - ${hash}\n` +
        `   Hashes of received file:\n    - SHA256:${sum}\n    - Filesize:7 [weak]\nE: Download Failed\n`;
      Deno.writeFileSync(`${this.machine.folder}${target}.FAILED`, page);
      return refused(text, 100);
    }
    Deno.writeFileSync(this.machine.folder + target, page);
    return ok();
  }

  dpkgDeb([, archive, tree]: string[]): Answer {
    const text = Deno.readTextFileSync(this.machine.folder + archive!).slice("!<arch>\n".length);
    if (!text.startsWith("[")) return refused("dpkg-deb: error: archive has premature member 'x'", 2);
    for (const [path, bytes] of JSON.parse(text) as [string, number[]][]) {
      const file = `${this.machine.folder}${tree}${path}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeFileSync(file, Uint8Array.from(bytes), { mode: 0o755 });
    }
    return ok();
  }
}

function join(head: Uint8Array, more: string): Uint8Array {
  const tail = new TextEncoder().encode(more);
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
