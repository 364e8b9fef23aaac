import { assert, assertEquals, assertRejects } from "@std/assert";
import { CrxnError, Exit } from "../../gateway/errors.ts";
import { lastTurn, lock, lockers } from "../../machine/lock.ts";
import { placeFiles } from "../../machine/place.ts";
import { SystemRunner } from "../../machine/run.ts";

const runner = new SystemRunner();

const LOCKS = `1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF
2: POSIX  ADVISORY  WRITE 99 00:1a:5678 0 EOF
3: FLOCK  ADVISORY  WRITE 77 08:01:5678 0 EOF
4: FLOCK  ADVISORY  WRITE 0 00:1a:5678 0 EOF
4: -> FLOCK  ADVISORY  WRITE 55 00:1a:9 0 EOF
`;

Deno.test("lockers: the processes with a flock(2) on that very file", () => {
  assertEquals(lockers(LOCKS, 0x1a, 5678), [1234]);
  assertEquals(lockers(LOCKS, 0x801, 5678), [77]);
  assertEquals(lockers(LOCKS, 0x1a, 9), []);
  assertEquals(lockers("", 0x1a, 5678), []);
});

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/run`);
  placeFiles(folder);
  try {
    await body(folder);
  } finally {
    placeFiles("");
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("lock: the second is told who has it, and gets it as soon as the first is done", async () => {
  await inFolder(async () => {
    const first = await lock(runner, "up");
    const refused = await assertRejects(() => lock(runner, "down"), CrxnError, `crxn up, process ${Deno.pid}, since `);
    assert(refused instanceof CrxnError && refused.exit === Exit.busy);
    const heard: string[] = [];
    const begun = performance.now();
    await assertRejects(
      () => lock(runner, "down", { waitSeconds: 1, onWait: (holder) => heard.push(holder) }),
      CrxnError,
      "at work still, after 1 s",
    );
    assertEquals(performance.now() - begun >= 900, true);
    assertEquals(heard.length, 1);
    const second = lock(runner, "down", { waitSeconds: 10 });
    setTimeout(() => first[Symbol.dispose](), 300);
    (await second)[Symbol.dispose]();
    (await lock(runner, "up"))[Symbol.dispose]();
  });
});

// A child has every open file between fork(2) and execve(2): flock(2) is free only when the last of them is closed,
// unless it is given up by name.
Deno.test("lock: free at once when it is given back, also while programs are being started", async () => {
  await inFolder(async () => {
    let over = false;
    const starting = Array.from({ length: 4 }, async () => {
      while (!over) await runner.run(["/bin/true"]);
    });
    try {
      for (let i = 0; i < 3000; i++) (await lock(runner, "up"))[Symbol.dispose]();
    } finally {
      over = true;
      await Promise.all(starting);
    }
  });
});

Deno.test("lock: held also where its holder cannot be noted, and a lock that cannot be made is no bug", async () => {
  await inFolder(async (folder) => {
    await Deno.symlink("/dev/full", `${folder}/run/crxn.lock`);
    (await lock(runner, "up"))[Symbol.dispose]();
    await Deno.remove(`${folder}/run/crxn.lock`);
    await Deno.mkdir(`${folder}/run/crxn.lock`);
    const error = await assertRejects(() => lock(runner, "up"), CrxnError, "is a directory") as CrxnError;
    assertEquals(error.exit, Exit.failed);
  });
});

Deno.test("lock: on a full disk whoever looks sees that somebody is at work", async () => {
  await inFolder(async () => {
    (await lock(runner, "up"))[Symbol.dispose]();
    const write = Deno.FsFile.prototype.write;
    Deno.FsFile.prototype.write = () => Promise.reject(new Error("No space left on device (os error 28)"));
    try {
      const held = await lock(runner, "up");
      assertEquals(lastTurn(), undefined);
      held[Symbol.dispose]();
      assert(lastTurn() !== undefined);
    } finally {
      Deno.FsFile.prototype.write = write;
    }
  });
});
