/** What the probe and its capture start and leave, on a runner that only notes it. */

import { assert, assertEquals } from "@std/assert";
import type { Watch } from "../../gateway/probe_points.ts";
import { CrxnError } from "../../gateway/errors.ts";
import { startCapture } from "../../machine/capture.ts";
import { openClient } from "../../machine/probe_client.ts";
import { ProbeTable } from "../../machine/probe_table.ts";
import type { Held, Result, Runner } from "../../machine/run.ts";

/** Every program started, in order; `end PROGRAM` when it is ended. */
function noting(
  answers: (line: string, stdin: string) => Partial<Result>,
  output = "lo: UP eth0@if3: UP listening on",
) {
  const lines: string[] = [];
  const runner: Runner = {
    run: (argv, { stdin = "" } = {}) => {
      lines.push(argv.join(" "));
      return Promise.resolve({ argv, code: 0, stdout: "", stderr: "", ...answers(argv.join(" "), stdin) });
    },
    start: (argv): Held => {
      lines.push(`start ${argv.join(" ")}`);
      return {
        pid: 77,
        output: () => output,
        say: () => Promise.resolve(),
        says: (pattern) => Promise.resolve(pattern.test(output)),
        end: () => Promise.resolve(void lines.push(`end ${argv[0]}`)),
      };
    },
  };
  return { lines, runner };
}

const CLIENT = { address: "2001:db8::c7", routed: true };
const device = (lines: string[]) => lines.map((l) => /link delete dev (probe-\w{6})$/.exec(l)?.[1]).find((d) => d);

Deno.test("openClient: its link is gone before its namespace is let go", async () => {
  const { lines, runner } = noting(() => ({}));
  const client = await openClient(runner, CLIENT, 1500);
  assert(!("reason" in client));
  assertEquals(lines.filter((l) => l.includes("delete")), []);
  await client[Symbol.asyncDispose]();
  assertEquals(device(lines), client.device);
  assertEquals(lines.at(-1), "end /usr/bin/unshare");
});

Deno.test("openClient: what was half made is taken back", async () => {
  const { lines, runner } = noting((_, stdin) => stdin ? { code: 1, stderr: "RTNETLINK answers: File exists" } : {});
  const client = await openClient(runner, CLIENT, 1500);
  assert("reason" in client);
  assertEquals(client.reason, "no network namespace for the probe's client: RTNETLINK answers: File exists");
  assert(device(lines), lines.join("\n"));
  assertEquals(lines.at(-1), "end /usr/bin/unshare");
});

Deno.test("ProbeTable.open: no name of a device becomes a part of nft's script", async (t) => {
  const watch: Watch = {
    ...{ client: "2001:db8::1", mapped: "2001:db8::a00:1", target: "10.0.0.1", device: "probe-000000" },
    ...{ translators: ["nat64-ygg"], overlay: "wg0", uplink: "eth0", small: 1, large: 2, port: 80 },
  };
  const cases: [string, Partial<Watch>, number][] = [
    ["usual names", { uplink: "eth0.100@x" }, 1],
    ["a quote", { uplink: 'e"; drop' }, 0],
    ["a star", { overlay: "wg*" }, 0],
    ["a backslash", { tunnel: { device: "y\\", far: "200::1", protocol: "gre" } }, 0],
  ];
  for (const [name, change, starts] of cases) {
    await t.step(name, async () => {
      const { lines, runner } = noting(() => ({}));
      await ProbeTable.open(runner, { ...watch, ...change });
      assertEquals(lines.filter((l) => l.startsWith("start")).length, starts);
    });
  }
});

async function refusal(promise: Promise<unknown>): Promise<CrxnError> {
  const error: unknown = await promise.then(() => undefined, (e) => e);
  assert(error instanceof CrxnError, String(error));
  return error;
}

Deno.test("startCapture: odd answers of ip are no device", async (t) => {
  for (const stdout of ["", "[]", "[null]", "{}", "[{", '[{"ifindex":"7"}]']) {
    await t.step(stdout, async () => {
      const folder = await Deno.makeTempDir();
      const { runner } = noting(() => ({ stdout }));
      const error = await refusal(startCapture(runner, `${folder}/x.pcap`, ["wg0"]));
      assertEquals([error.exit, [...Deno.readDirSync(folder)].length], [69, 0]);
      await Deno.remove(folder);
    });
  }
});

Deno.test("startCapture: a new file of mode 0600, never by a link, gone where tcpdump does not work", async () => {
  const folder = await Deno.makeTempDir();
  const { runner, lines } = noting(() => ({ stdout: '[{"ifindex":7}]' }));
  const path = `${folder}/x.pcap`;
  await Deno.symlink(`${folder}/elsewhere`, path);
  const error = await refusal(startCapture(runner, path, ["wg0"]));
  assertEquals([error.exit, (await Deno.lstat(path)).isSymlink, lines.length], [64, true, 2]);
  await Deno.remove(path);
  const capture = await startCapture(runner, path, ["wg0"]);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  // As another user tcpdump would outlive crxn.
  assert(lines.at(-1)!.includes(" -Z root ") && lines.at(-1)!.endsWith("ifindex 7"), lines.at(-1));
  assertEquals(await capture.end(), {});
  await Deno.remove(path);
  const mute = noting(() => ({ stdout: '[{"ifindex":7}]' }), "tcpdump: permission denied");
  const refused = await refusal(startCapture(mute.runner, path, ["wg0"]));
  assertEquals([refused.exit, refused.message], [1, "tcpdump does not capture: tcpdump: permission denied."]);
  await Deno.remove(folder);
});
