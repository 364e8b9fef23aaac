import { assertEquals } from "@std/assert";
import { Lab, type Machine, type Namespace } from "../rig/mod.ts";
import { ensureRequirements } from "../rig/requirements.ts";
import { answersWithin, assertSilent, sceneOf } from "../machines/story.ts";
import { byHand, crxnWith, type Gateway, GATEWAY6, HOST6, routing } from "./gateways.ts";
import { hold } from "./hold.ts";
import { between, carried, latency, type Load, LOAD_REQUIREMENTS } from "./load.ts";
import { median } from "./plainly.ts";
import { PAIRS, record, type Row } from "./record.ts";

// What the gateway carries, by the binary, side by side with one that is made by hand and with routing alone.

const binary = (Deno.env.get("CRXN_BIN") ?? "") !== "";
const CLIENTS = Array.from({ length: 64 }, (_, i) => `2001:db8:c::b${(i + 16).toString(16)}`);
/** Percent of a CPU that each translator gets where they are held: the rest has to be enough for sender, receiver and kernel. */
const SHARE = 15;

/** A load lasts longer than what is measured, which is in its midst. */
const SECONDS = 4;
const TCP: Load = { protocol: "tcp", towards: "overlay", seconds: SECONDS };
const BACK: Load = { protocol: "tcp", towards: "client", seconds: SECONDS };
const SMALL: Load = { protocol: "udp", towards: "overlay", size: 64, rate: 64 * 8 * 12_500, seconds: SECONDS };

interface Place {
  client: Namespace;
  gw: Machine;
  host: Namespace;
}

/** What a gateway carries, in one round. */
async function look({ client, gw, host }: Place, gateway: Gateway): Promise<Record<string, number>> {
  await gateway.begin(gw);
  try {
    await answersWithin(10, client, gateway.target);
    const sixteen = CLIENTS.slice(0, 16);
    const load = (what: Load) => carried(client, host, gateway.target, sixteen, what);
    const idle = await latency(client, gateway.target);
    const tcp = await between(gw, "ovl0", () => load(TCP));
    const back = await between(gw, "eth0", () => load(BACK));
    const udp = await between(gw, "ovl0", () => load(SMALL));
    const [busy] = await Promise.all([
      new Promise((resolve) => setTimeout(resolve, 1500)).then(() => latency(client, gateway.target, 200)),
      load(TCP),
    ]);
    return { tcp: tcp.mbits, back: back.mbits, udp: udp.packets, idle, busy };
  } finally {
    await gateway.end(gw);
  }
}

async function scene(lab: Lab): Promise<Place> {
  await ensureRequirements(LOAD_REQUIREMENTS);
  const { client, gw, host, net } = await sceneOf(lab, { debian: "trixie", image: "ready" });
  await net.route(`${HOST6}/128`, gw);
  await client.must(CLIENTS.map((a) => `ip -6 address add ${a}/64 dev eth0 nodad`).join("; "));
  await host.must(`ip -6 address add ${HOST6}/64 dev eth0 nodad; ip -6 route add default via ${GATEWAY6}`);
  await client.must(`ip -6 route get ${HOST6}`);
  return { client, gw, host };
}

const NAMES: Record<string, string> = {
  tcp: "TCP to the overlay, Mbit/s",
  back: "TCP to the client, Mbit/s",
  udp: "UDP, 64 bytes, thousand packets/s",
  idle: "round trip at idle, ms",
  busy: "round trip under TCP load, ms",
};

Deno.test({
  name: `the wire: by hand, crxn, and routing alone${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    const place = await scene(lab);
    await assertSilent(place.client);
    const gateways = [byHand, crxnWith(1), crxnWith(2), routing];
    const rounds: Record<string, number>[][] = gateways.map(() => []);
    for (let n = 0; n < PAIRS; n++) {
      for (const [i, gateway] of gateways.entries()) rounds[i]!.push(await look(place, gateway));
    }
    const rows = gateways.map(({ name }, i): Row => ({
      name,
      values: Object.fromEntries(
        Object.entries(NAMES).map(([key, title]) => [title, median(rounds[i]!.map((r) => r[key]!))]),
      ),
    }));
    await record("wire", { title: "On the wire, 16 clients", rows });
    const ratio = (key: string, i: number) => median(rounds[i]!.map((r, n) => r[key]! / rounds[0]![n]![key]!));
    const wrong = [
      ...["tcp", "back", "udp"].flatMap((key) =>
        ratio(key, 1) >= 1 ? [] : [`${NAMES[key]}: ${ratio(key, 1).toFixed(2)}`]
      ),
      // What the gateway adds to the way without it.
      ...(ratio("idle", 1) <= 1.1 ? [] : [`${NAMES.idle}: ${ratio("idle", 1).toFixed(2)}`]),
    ];
    for (const key of Object.keys(NAMES)) {
      console.log(`${NAMES[key]}: ${rows.map((r) => `${r.name} ${r.values[NAMES[key]!]!.toFixed(2)}`).join("; ")}`);
      console.log(`  against by hand: ${gateways.map((_, i) => ratio(key, i).toFixed(2)).join(", ")}`);
    }
    assertEquals(wrong, [], "one translator of crxn against the one made by hand");
  },
});

Deno.test({
  name: `the wire: translators that are held to a share of a CPU each${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    const { client, gw, host } = await scene(lab);
    const gateways = [byHand, crxnWith(1), crxnWith(2), crxnWith(4)];
    const rounds: number[][] = gateways.map(() => []);
    for (let n = 0; n < PAIRS; n++) {
      for (const [i, gateway] of gateways.entries()) {
        await gateway.begin(gw);
        const free = await hold(gw, gateway.units, SHARE);
        try {
          await answersWithin(10, client, gateway.target);
          const load = () => carried(client, host, gateway.target, CLIENTS.slice(0, 32), TCP);
          rounds[i]!.push((await between(gw, "ovl0", load)).mbits);
        } finally {
          await gateway.end(gw);
          await free();
        }
      }
    }
    const ratios = gateways.map((_, i) => median(rounds[i]!.map((r, n) => r / rounds[1]![n]!)));
    const rows = gateways.map(({ name }, i): Row => ({
      name,
      values: { "TCP to the overlay, Mbit/s": median(rounds[i]!), "against one of crxn's": ratios[i]! },
    }));
    await record("held", { title: `Each translator held to ${SHARE} % of a CPU, 32 clients`, rows });
    for (const { name, values } of rows) {
      console.log(`${name}: ${Object.values(values).map((v) => v.toFixed(2)).join(", ")}`);
    }
    assertEquals([ratios[2]! >= 1.9, ratios[3]! >= 3.6], [true, true], ratios.map((r) => r.toFixed(2)).join(", "));
  },
});

Deno.test({
  name: `the wire: one client and many${binary ? "" : " (needs CRXN_BIN)"}`,
  ignore: !binary,
  fn: async () => {
    await using lab = await Lab.create();
    const { client, gw, host } = await scene(lab);
    const rows: Row[] = [];
    for (const gateway of [byHand, crxnWith(1), crxnWith(2)]) {
      await gateway.begin(gw);
      await answersWithin(10, client, gateway.target);
      const values: Record<string, number> = {};
      for (const count of [1, 4, 16, 64]) {
        const times: number[] = [];
        for (let n = 0; n < 3; n++) {
          times.push(
            (await between(gw, "ovl0", () => carried(client, host, gateway.target, CLIENTS.slice(0, count), TCP)))
              .mbits,
          );
        }
        values[`${count} clients, Mbit/s`] = median(times);
      }
      rows.push({ name: gateway.name, values });
      console.log(`${gateway.name}: ${Object.entries(values).map(([k, v]) => `${k} ${v.toFixed(0)}`).join("; ")}`);
      await gateway.end(gw);
    }
    await record("clients", { rounds: 3, title: "TCP, by the number of clients", rows });
  },
});
