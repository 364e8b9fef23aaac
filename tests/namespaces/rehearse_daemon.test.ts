// `crxn rehearse` with daemons that die, and with what is none.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND, GATEWAY, ROUTES, run, test, withConfig } from "./newcomer.ts";

test("rehearse: a daemon that dies is named, the exit code is 1, and nothing stays", async () => {
  const before = (await run(["/usr/sbin/ip", "netns", "list"])).stdout;
  // It knows a yggdrasil's config, and ends at once when it is to run.
  const directory = await Deno.makeTempDir({ dir: "/usr/local/lib", prefix: "crxn-test-" });
  try {
    await Deno.chmod(directory, 0o755);
    const daemon = `${directory}/yggdrasil`;
    await Deno.writeTextFile(
      daemon,
      '#!/bin/sh\ncase "$*" in *-normaliseconf*) echo \'{"PrivateKey":""}\' ;; esac\n',
      { mode: 0o755 },
    );
    await withConfig(GATEWAY(`{type: yggdrasil, daemon: ${daemon}, ${ROUTES}}`), async (file) => {
      const { code, stdout, stderr } = await run([...COMMAND, "--config", file]);
      assertEquals(code, 1, stderr + stdout);
      assertStringIncludes(stderr, "yggdrasil (node) ended with code 0. It was started 3 times.");
      assertStringIncludes(stdout, "Everything is taken down again.");
      assert(!stderr.includes(".ts:"), stderr);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  const mine = (text: string) => text.split("\n").filter((l) => l.startsWith("crxn-rehearse-"));
  assertEquals(mine((await run(["/usr/sbin/ip", "netns", "list"])).stdout), mine(before));
});

test("rehearse: a daemon that crashes once is started again, as its unit does, and that is said", async () => {
  const directory = await Deno.makeTempDir({ dir: "/usr/local/lib", prefix: "crxn-test-" });
  try {
    await Deno.chmod(directory, 0o755);
    const daemon = `${directory}/yggdrasil`;
    // Whichever of the two is first has its device, with its address, when it dies.
    const crash = `if mkdir ${directory}/once 2>/dev/null; then
        timeout -s KILL 0.7 /usr/sbin/yggdrasil "$@"
        printf '%s\\n' 'panic: on a Sunday' '' 'goroutine 7 [running]:' 1 2 3 4 5 6 7 8 >&2; exit 2
      fi`;
    const script =
      `#!/bin/sh\ncase "$*" in\n*conf*json* | *-normaliseconf* | *-version*) ;;\n*-useconffile*) ${crash} ;;\nesac
exec /usr/sbin/yggdrasil "$@"\n`;
    await Deno.writeTextFile(daemon, script, { mode: 0o755 });
    await withConfig(GATEWAY(`{type: yggdrasil, daemon: ${daemon}, ${ROUTES}}`), async (file) => {
      const { code, stdout, stderr } = await run([...COMMAND, "--config", file, "--json"]);
      assertEquals(code, 0, stderr + stdout);
      const { restarts } = JSON.parse(stdout);
      assertEquals(restarts.map((r: { ended: string }) => r.ended), ["ended with code 2"]);
      assertEquals(restarts[0].lines.slice(0, 2), ["panic: on a Sunday", "goroutine 7 [running]:"]);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

test("rehearse: a program that is no yggdrasil ends with 69, before anything is made", async () => {
  await withConfig(GATEWAY(`{type: yggdrasil, daemon: /usr/bin/true, ${ROUTES}}`), async (file) => {
    const { code, stderr } = await run([...COMMAND, "--config", file]);
    assertEquals(code, 69, stderr);
    assertStringIncludes(stderr, "/usr/bin/true does not work as a yggdrasil daemon");
  });
});
