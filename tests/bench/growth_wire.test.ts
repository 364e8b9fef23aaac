import { Lab } from "../rig/mod.ts";
import { ensureRequirements } from "../rig/requirements.ts";
import { answersWithin, CONFIG, crxn, HOST, MAPPED, sceneOf } from "../machines/story.ts";
import { manyNetworks } from "../unit/fake/configs.ts";
import { between, carried, latency, type Load, LOAD_REQUIREMENTS } from "./load.ts";
import { median } from "./plainly.ts";
import { PAIRS, record, type Row } from "./record.ts";

// What a thousand networks and a thousand maps cost the packets: rules are asked one after the other.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const COUNTS = [1, 1000];
const CLIENTS = Array.from({ length: 8 }, (_, i) => `2001:db8:c::b${(i + 16).toString(16)}`);
const TCP: Load = { protocol: "tcp", towards: "overlay", seconds: 4 };

/** The overlay host's network as the last one, and none another's neighbour: those have their rules together. */
function configOf(count: number): string {
  const text = manyNetworks(count, "ovl0", 2);
  const route = `    - to: ${HOST.replace(/\d+$/, "0")}/24\n`;
  return text.replace(route, "").replace("nat64:\n", `${route}nat64:\n`);
}

Deno.test({
  name: `the wire: ${COUNTS.join(" and ")} networks and maps${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    await ensureRequirements(LOAD_REQUIREMENTS);
    const { client, gw, host } = await sceneOf(lab, { debian: "trixie", image: "ready" });
    await client.must(CLIENTS.map((a) => `ip -6 address add ${a}/64 dev eth0 nodad`).join("; "));
    await host.must("ip route replace default via 10.200.255.1 dev eth0 onlink");
    const measured = COUNTS.map((): Record<string, number[]> => ({}));
    for (let n = 0; n < PAIRS; n++) {
      for (const [i, count] of COUNTS.entries()) {
        await gw.write(CONFIG, configOf(count));
        await crxn(gw, "up --yes");
        await answersWithin(10, client);
        const load = (towards: Load["towards"]) => () => carried(client, host, MAPPED, CLIENTS, { ...TCP, towards });
        const values = {
          "TCP to the overlay, Mbit/s": (await between(gw, "ovl0", load("overlay"))).mbits,
          "TCP to the client, Mbit/s": (await between(gw, "eth0", load("client"))).mbits,
          "round trip at idle, ms": await latency(client, MAPPED),
        };
        for (const [key, value] of Object.entries(values)) (measured[i]![key] ??= []).push(value);
      }
    }
    const rows = COUNTS.map((count, i): Row => ({
      name: count === 1 ? "one of each" : `${count} of each, the host's network the last`,
      values: Object.fromEntries(Object.entries(measured[i]!).map(([key, values]) => [key, median(values)])),
    }));
    for (const { name, values } of rows) {
      console.log(`${name}: ${Object.entries(values).map(([key, value]) => `${key} ${value.toFixed(2)}`).join("; ")}`);
    }
    await record("growth-wire", { title: "On the wire, 8 clients, by the number of networks and maps", rows });
  },
});
