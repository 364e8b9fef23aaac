/** What `up` says at its end: what the far ends need, for each kind of tunnel. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { farewell } from "../../commands/farewell.ts";
import type { Context } from "../../commands/context.ts";
import { welcome } from "../../commands/welcome.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { WALK } from "./fake/configs.ts";
import { FakeMachine } from "./fake/machine.ts";
import { Play } from "./fake/play.ts";
import { FAR, healthy, type Options, OWN, SECOND, type Setup } from "./surveys/builder.ts";

const said = async (setup: Setup, options: Options = {}) =>
  farewell((await healthy(setup, options)).blueprint).join("\n");

Deno.test("farewell: several far ends: the key once, and each one's address", async () => {
  const text = await said("two nodes");
  assertStringIncludes(text, "The far ends need:");
  assertStringIncludes(text, `public key   ${OWN}`);
  assertStringIncludes(text, "a route      10.5.0.0/24, 10.6.0.1/32 via this key");
  for (const key of [FAR, SECOND]) {
    assertStringIncludes(text, `${addressFromKey(key)}, by its key ${key.slice(0, 16)}...`);
  }
  assertStringIncludes(text, `remote ${addressFromKey(OWN)}`);
  for (const network of ["10.5.0.0/24", "10.6.0.1/32"]) {
    assertStringIncludes(text, `  ip route add ${network} dev crxn0`);
  }
  // On the wire it is the well-known port for everybody.
  assertEquals(text.match(/dstport \d+/g), ["dstport 4789"]);
  assertStringIncludes(await said("yggdrasil"), "The far end needs:");
});

Deno.test("farewell: tunnel routing by hand, in the schema of the daemon here", async () => {
  const newest = await said("two nodes", { ckr: "newest" });
  assertStringIncludes(
    newest,
    `"RemoteSubnets": {\n        "${OWN}": [\n          "10.5.0.0/24",\n          "10.6.0.1/32"`,
  );
  assert(!newest.includes("Enable") && !newest.includes("crxn0"), newest);
  assertStringIncludes(newest, "  ip route add 10.5.0.0/24 dev ygg");
  const old = await said("yggdrasil", { ckr: "0.3" });
  assertStringIncludes(old, `"IPv4RemoteSubnets": {\n        "10.5.0.1/32": "${OWN}"`);
  assertStringIncludes(old, '"(its own networks)"');
});

Deno.test("farewell: over an existing link every address is to be routed here", async () => {
  assertStringIncludes(await said("interface"), "The overlay must route 10.5.0.1 to this machine.");
});

for (const name of ["two far nodes", "tunnel routing"]) {
  Deno.test({
    name: `welcome: ${name}: each far node is pinged, and named in JSON`,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      const play = new Play(machine);
      assertEquals(await play.up(WALK[name]!), 0, play.said);
      const out: string[] = [];
      const ui = { ...play.context.ui, json: true, out: (text: string) => void out.push(text) };
      const context: Context = { ...play.context, ui };
      const prepared = await play.prepare(WALK[name]!);
      assertEquals(await welcome(context, prepared, { changed: [] }), 0);
      const { schema, ok, pings, self } = JSON.parse(out.join(""));
      assertEquals([schema, ok], ["crxn.up/1", true]);
      const nodes = prepared.blueprint.nodes;
      assertEquals(pings.map((p: { address: string }) => p.address), nodes.map((n) => n.address));
      assertEquals(self.nodes, nodes.map(({ key, address, networks }) => ({ key, address, networks })));
      assertEquals(self.nodes.length, 2);
    },
  });
}
