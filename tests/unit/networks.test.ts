import { assert, assertEquals } from "@std/assert";
import { blueprint } from "../../gateway/blueprint.ts";
import { contains, network } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { aggregated } from "../../gateway/networks.ts";
import { manyNetworks, networksOf } from "./fake/configs.ts";
import { FACTS } from "./golden_configs.ts";

const hosts = (count: number) => Array.from({ length: count }, (_, i) => `10.9.${i >> 8}.${i & 255}/32`);

Deno.test("aggregated: few stay as they are, in their order; of many, halves become one", () => {
  const few = ["10.1.0.0/24", "10.0.0.0/24", ...networksOf(64).slice(2)];
  assertEquals(aggregated(few), few);
  assertEquals(aggregated(networksOf(256)), ["10.0.0.0/16"]);
  assertEquals(aggregated(networksOf(65).reverse()), ["10.0.0.0/18", "10.0.64.0/24"]);
  assertEquals(aggregated(hosts(256 + 65)), ["10.9.0.0/24", "10.9.1.0/26", "10.9.1.64/32"]);
  const six = Array.from({ length: 65 }, (_, i) => `2001:db8::${(i + 1).toString(16)}/128`);
  assertEquals(aggregated(six).slice(0, 3), ["2001:db8::1/128", "2001:db8::2/127", "2001:db8::4/126"]);
});

Deno.test("aggregated: what adjoins and is no half of the same network stays apart, and what lies in another is left out", () => {
  const apart = networksOf(100, 2);
  assertEquals(aggregated(apart), apart);
  const uneven = networksOf(101).slice(1);
  assertEquals(aggregated(uneven)[0], "10.0.1.0/24");
  assertEquals(aggregated([...apart, "10.0.0.0/8", "10.0.4.0/24"]), ["10.0.0.0/8"]);
  assertEquals(aggregated([...networksOf(65), "0.0.0.0/1", "128.0.0.0/1"]), ["0.0.0.0/0"]);
});

Deno.test("aggregated: neither an address more nor one less, whatever the networks", () => {
  // Numerical Recipes' generator: the same networks each time.
  let state = 1;
  const random = (below: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
  for (let n = 0; n < 50; n++) {
    const texts = Array.from({ length: 65 + random(60) }, () => {
      const length = 25 + random(7);
      return `10.0.${random(2)}.${random(2 ** (length - 24)) * 2 ** (32 - length)}/${length}`;
    });
    const found = aggregated(texts);
    const covers = (list: string[]) => {
      const networks = list.map(network);
      return Array.from({ length: 512 }, (_, i) => network(`10.0.${i >> 8}.${i & 255}/32`)).map((a) =>
        networks.some((to) => contains(to, a))
      );
    };
    assertEquals(covers(found), covers(texts), texts.join(" "));
    assertEquals(new Set(found).size, found.length);
  }
});

Deno.test("with hundreds of networks that adjoin, rules and routes are as many as with a few", async () => {
  const config = async (count: number, step = 1) => await parseConfig(manyNetworks(count, "wg0", step), "crxn.yaml");
  const of = async (count: number, step?: number) => {
    const { items } = blueprint(await config(count, step), FACTS);
    return {
      rules: items.flatMap((i) => i.kind === "chain" ? i.rules : []).length,
      // Those into the overlay are each its own: they are what the config says.
      routes: items.filter((i) => i.kind === "route" && i.device !== "wg0").length,
    };
  };
  const [few, many, apart] = [await of(60), await of(1000), await of(1000, 2)];
  assert(many.rules < few.rules && many.routes < few.routes, JSON.stringify({ few, many }));
  assert(apart.rules > 7000 && apart.routes > 2900, JSON.stringify(apart));
});
