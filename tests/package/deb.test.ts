import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { must, run } from "../rig/process.ts";
import { BINARY, debIn, needsBinary, TIME, unbuilt } from "../rig/release.ts";

// The Debian package, before lintian and dpkg. On machines: tests/machines/package.test.ts.

async function inFolders(body: (a: string, b: string) => Promise<void>): Promise<void> {
  const [a, b] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  try {
    await body(a, b);
  } finally {
    for (const folder of [a, b]) await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: `the Debian package: lintian finds nothing but what is overridden with a reason${needsBinary}`,
  ignore: unbuilt !== undefined,
  fn: () =>
    inFolders(async (folder, other) => {
      const lintian = ["lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0"];
      const path = await debIn(folder);
      const { code, stdout } = await run([...lintian, path]);
      assertEquals([code, stdout], [0, ""]);
      // Controls: without the overrides it finds just those, each named in the docs, and what is wrong on purpose.
      await must(["dpkg-deb", "-R", path, `${other}/root`]);
      const overrides = await Deno.readTextFile(`${other}/root/usr/share/lintian/overrides/crxn`);
      const excused = [...overrides.matchAll(/^crxn: (\S+)/gm)].map(([, tag]) => tag!).sort();
      const docs = await Deno.readTextFile(new URL("../../docs/dependencies.md", import.meta.url));
      for (const tag of excused) assertStringIncludes(docs, `\`${tag}\``);
      await must(["chmod", "0777", `${other}/root/usr/bin/crxn`]);
      await must(["dpkg-deb", "-Zxz", "-z0", "--root-owner-group", "-b", `${other}/root`, other]);
      const open = await run([...lintian, "--no-override", `${other}/${path.split("/").at(-1)}`]);
      const found = [...open.stdout.matchAll(/^[EW]: crxn: (\S+)/gm)].map(([, tag]) => tag!).sort();
      assertEquals([open.code, found], [2, [...excused, "non-standard-executable-perm"].sort()]);
    }),
});

Deno.test({
  name:
    `the Debian package: the same binary and time give the same bytes; md5sums and libraries are right${needsBinary}`,
  ignore: unbuilt !== undefined,
  fn: () =>
    inFolders(async (a, b) => {
      const paths = [await debIn(a), ""];
      const old = Deno.umask(0o077);
      try {
        paths[1] = await debIn(b);
      } finally {
        Deno.umask(old);
      }
      await must(["cmp", ...paths]);
      await must(["dpkg-deb", "-x", paths[0]!, `${a}/root`]);
      await must(["dpkg-deb", "-e", paths[0]!, `${a}/control`]);
      await must(["env", "-C", `${a}/root`, "md5sum", "--check", "--strict", "--quiet", `${a}/control/md5sums`]);
      const files = (await must(["find", `${a}/root`, "-type", "f"])).trim().split("\n");
      assertEquals(files.length, (await Deno.readTextFile(`${a}/control/md5sums`)).trim().split("\n").length);
      await must(["cmp", BINARY, `${a}/root/usr/bin/crxn`]);
      // What the loader wants is what the package depends on, by the packages of this very Debian.
      await Deno.mkdir(`${b}/debian`);
      await Deno.writeTextFile(`${b}/debian/control`, "Source: crxn\n\nPackage: crxn\nArchitecture: any\n");
      const wanted = await must(["dpkg-shlibdeps", "-O", "--ignore-missing-info", `${a}/root/usr/bin/crxn`], {
        cwd: b,
      });
      const depends = await must(["dpkg-deb", "-f", paths[0]!, "Depends"]);
      for (const [, name, version] of wanted.matchAll(/(lib[\w.+-]+) \(>= ([\d.]+)\)/g)) {
        const has = new RegExp(`${name!.replaceAll("+", "\\+")}(?: \\(>= ([\\d.]+)\\))?`).exec(depends);
        assert(has, `${depends} lacks ${name}`);
        if (has[1]) await must(["dpkg", "--compare-versions", has[1], "ge", version!]);
      }
      assertMatch(wanted, /libc6/);
      // Control: another time, other bytes.
      const program = "/bin/true";
      const [then, later] = [await debIn(a, { program }), await debIn(b, { program, time: TIME + 1 })];
      assertEquals((await run(["cmp", "-s", then, later])).code, 1);
    }),
});
