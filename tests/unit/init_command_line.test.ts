/** `crxn init` on a command line, up to where a machine would be needed. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { placeFiles } from "../../machine/place.ts";
import { crxn } from "./said.ts";

Deno.test("crxn init --import: answers of a new config are refused, not ignored", async () => {
  for (const stray of [["--pool", "192.168.64.0/18"], ["--node"], ["--overlay", "yggdrasil"], ["--daemon", "/x"]]) {
    const { code, err } = await crxn("init", "--import", ...stray);
    assertEquals(code, 64, err);
    assertStringIncludes(err, `${stray[0]} cannot be said of it`);
  }
});

Deno.test({
  name: "crxn init --key: the key is for the daemon that the present config names, unless --daemon says another",
  // As nobody it ends with 77 before.
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    placeFiles(folder);
    try {
      const file = `${folder}/crxn.yaml`;
      const overlay = `{type: yggdrasil, daemon: /nowhere/yggdrasilckr, listen: ["tls://[::]:1"]}`;
      await Deno.writeTextFile(file, `address: 10.5.0.1/32\noverlay: ${overlay}\n`, { mode: 0o644 });
      const present = await crxn("init", "--key", "--config", file);
      assertEquals(present.code, 69, present.err);
      assertStringIncludes(present.err, "There is no /nowhere/yggdrasilckr on this machine.");
      const said = await crxn("init", "--key", "--config", file, "--daemon", "/nowhere/else");
      assertStringIncludes(said.err, "There is no /nowhere/else on this machine.");
      const debians = await crxn("init", "--key", "--config", file, "--daemon", "/usr/sbin/yggdrasil");
      assertEquals(debians.code, 0, debians.err);
      assertMatch(debians.out, /^public key +[0-9a-f]{64}$/m);
    } finally {
      placeFiles("");
      await Deno.remove(folder, { recursive: true });
    }
  },
});
