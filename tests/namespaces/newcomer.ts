/** Who runs `crxn rehearse`: a process of its own, with the real programs, on this machine. */

import { rehearsalObstacle } from "../obstacles.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
export const COMMAND = [Deno.execPath(), "run", "--quiet", "-A", MAIN, "rehearse"];
export const KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";

export const GATEWAY = (overlay: string, nat64 = "") => `
address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
uplink: ens3
overlay: ${overlay}
${nat64}
`;
export const ROUTES = `routes: [{to: 10.0.0.0/8, via: ${KEY}}]`;

const reason = rehearsalObstacle()?.reason;
if (reason) console.error(`\nTHE REHEARSAL IS NOT TESTED HERE: ${reason}.\n`);

export const test = (name: string, body: () => Promise<void>) =>
  Deno.test({ name, ignore: reason !== undefined, fn: body });

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export async function run(argv: string[]): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, { args: argv.slice(1), stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

export async function withConfig<T>(text: string, body: (file: string) => Promise<T>): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, text);
    return await body(file);
  } finally {
    await Deno.remove(file);
  }
}

/** Namespaces and folders of the rehearsal that ran as process `pid`. */
export async function leftovers(pid: number): Promise<string[]> {
  const { stdout } = await run(["/usr/sbin/ip", "netns", "list"]);
  const names = [...stdout.split("\n"), ...Array.from(Deno.readDirSync("/run"), (e) => `/run/${e.name}`)];
  return names.filter((n) => n.includes(`crxn-rehearse-${pid}`));
}
