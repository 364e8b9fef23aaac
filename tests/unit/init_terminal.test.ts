/** The terminal of `crxn init`. */

import { assertEquals } from "@std/assert";
import { Terminal } from "../../commands/init_terminal.ts";
import { terminalUi } from "../../commands/ui.ts";

Deno.test("crxn init: a prompt is written whole, also where the terminal takes a piece at a time", async () => {
  const [write, read] = [Deno.stderr.writeSync, Deno.stdin.read];
  const decoder = new TextDecoder();
  let shown = "";
  Deno.stderr.writeSync = (bytes) => {
    shown += decoder.decode(bytes.subarray(0, 3), { stream: true });
    return Math.min(bytes.length, 3);
  };
  Deno.stdin.read = (buffer) => Promise.resolve(new TextEncoder().encodeInto(" yes \n", buffer).written);
  try {
    using terminal = new Terminal(terminalUi(false));
    assertEquals(await terminal.read("Which one of them? [\x1b[2Jwg0]: "), "yes");
  } finally {
    Deno.stderr.writeSync = write;
    Deno.stdin.read = read;
  }
  assertEquals(shown, "Which one of them? [\\x1b[2Jwg0]: ");
});
