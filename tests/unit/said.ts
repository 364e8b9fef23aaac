/** What crxn says on a command line. */

import { main } from "../../main.ts";

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs main() and catches what it says. */
export async function crxn(...args: string[]): Promise<Said> {
  const said = { out: "", err: "" };
  const decoder = new TextDecoder();
  const [out, err] = [Deno.stdout.writeSync, Deno.stderr.writeSync];
  Deno.stdout.writeSync = (bytes) => (said.out += decoder.decode(bytes), bytes.length);
  Deno.stderr.writeSync = (bytes) => (said.err += decoder.decode(bytes), bytes.length);
  const log = console.log;
  try {
    return { code: await main(args), ...said };
  } finally {
    Deno.stdout.writeSync = out;
    Deno.stderr.writeSync = err;
    console.log = log;
  }
}
