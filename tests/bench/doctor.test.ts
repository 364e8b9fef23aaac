import { assert } from "@std/assert";
import { Lab, type Machine } from "../rig/mod.ts";
import { quoted } from "../rig/process.ts";
import { installProgram } from "../rig/product.ts";
import { answersWithin, crxn, HOST, sceneOf } from "../machines/story.ts";

// How long doctor takes, by the binary, on a machine that has nothing else to do.

const PAIRS = 9;
/** Checks that send packets and wait for them. */
const MEASURING = "probe,path-mtu,prefix-routed";
/** Times the plain programs, one after another. */
const RATIO = 1.2;
/** Seconds with the probe, on a healthy path. */
const WITH_PROBE = 3;

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";

/**
 * What an operator types to read the same things, as a shell script: each program that doctor starts, and each file that
 * it reads, by a plain command of its own. `ip -batch`, which asks many questions at once, is written out.
 */
async function plainly(gw: Machine): Promise<string> {
  await installProgram(gw, `${ROOT}/tests/bench/argv_main.ts`, "/opt/bench/argv", ROOT);
  const { calls, reads } = JSON.parse(await gw.must(["/opt/bench/argv"])) as {
    calls: { argv: string[]; stdin?: string }[];
    reads: string[][];
  };
  assert(calls.length >= 10, `doctor starts only ${calls.length} programs?`);
  assert(reads.length >= 10, `doctor reads only ${reads.length} files?`);
  const typed = [...calls.flatMap(unbatched), ...reads];
  return [...typed.map((argv) => `${argv.map(quoted).join(" ")} >/dev/null 2>&1 || true`), "true"].join("\n");
}

function unbatched({ argv, stdin }: { argv: string[]; stdin?: string }): string[][] {
  if (stdin === undefined) return [argv];
  const batch = argv.indexOf("-batch");
  assert(batch > 0, `what does ${argv.join(" ")} read?`);
  const options = argv.slice(0, batch).filter((word) => word !== "-force");
  return stdin.trim().split("\n").map((line) => [...options, ...line.split(" ")]);
}

/** Milliseconds that a shell script takes, measured on the machine. */
async function taken(gw: Machine, script: string): Promise<number> {
  const [begun, ended] = (await gw.must(`date +%s%N; { ${script}\n}; date +%s%N`)).trim().split("\n").map(Number);
  return (ended! - begun!) / 1e6;
}

const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test({
    name: `crxn doctor: no slower than the plain programs, and under ${WITH_PROBE} s with the probe, ${debian}${
      binary ? "" : " (needs CRXN_BIN)"
    }`,
    ignore: !binary,
    fn: async () => {
      await using lab = await Lab.create();
      const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
      await crxn(gw, "up --yes");
      await answersWithin(10, client);
      const plain = await plainly(gw);
      const [theirs, ours, probed]: [number[], number[], number[]] = [[], [], []];
      for (let i = 0; i < PAIRS; i++) {
        theirs.push(await taken(gw, plain));
        ours.push(await taken(gw, `crxn doctor --json --skip ${MEASURING} >/dev/null`));
        if (i % 3 === 0) probed.push(await taken(gw, `crxn doctor --json --target ${HOST} >/dev/null`));
      }
      const ratio = median(ours.map((time, i) => time / theirs[i]!));
      const ms = (list: number[]) => `${median(list).toFixed(0)} ms`;
      console.log(
        `doctor on ${debian}: ${ms(ours)}, plain programs ${ms(theirs)}, ratio ${ratio.toFixed(2)}; with the probe ${
          ms(probed)
        }`,
      );
      assert(ratio <= RATIO, `doctor takes ${ratio.toFixed(2)} times what the plain programs take, more than ${RATIO}`);
      assert(median(probed) < WITH_PROBE * 1000, `with the probe doctor takes ${ms(probed)}`);
    },
  });
}
