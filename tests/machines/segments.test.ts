import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Lab, type Machine, type Namespace, type Place, transfer } from "../rig/mod.ts";
import {
  answersWithin,
  assertNothingToDo,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  INTERFACE_GATEWAY,
  MAPPED,
  sceneOf,
  someDebians,
} from "./story.ts";

// Large transfers where nobody says that a packet was too big: TCP has to be held to what passes, from both ends.

const BYTES = 500_000;
const TOO_BIG = {
  client: ["ip6tables", "-p", "icmpv6", "--icmpv6-type", "packet-too-big"],
  overlay: ["iptables", "-p", "icmp", "--icmp-type", "fragmentation-needed"],
} as const;
type Side = keyof typeof TOO_BIG;

/** Rules of a side's own host: it neither hears nor says that a packet was too big. */
async function filter(at: Place, side: Side, how: "-A" | "-D"): Promise<void> {
  const [program, ...match] = TOO_BIG[side];
  for (const chain of ["INPUT", "OUTPUT"]) await at.must([program, "-w", how, chain, ...match, "-j", "DROP"]);
}

/** A black hole for packets of more bytes than that, on the way into a place and through it. */
async function narrow(at: Place, family: "4" | "6", bytes: number, how: "-A" | "-D"): Promise<void> {
  const program = family === "4" ? "iptables" : "ip6tables";
  await at.must([
    ...[program, "-w", "-t", "raw", how, "PREROUTING", "-m", "length", "--length", `${bytes + 1}:65535`],
    ...["-j", "DROP"],
  ]);
}

/** Both directions, one after the other, on one connection. */
const move = (client: Namespace, host: Namespace, port: number, seconds = 20) =>
  transfer(client, host, MAPPED, port, BYTES, seconds);

const held = async (gw: Machine): Promise<number> =>
  Number(/--set-mss (\d+)/.exec(await gw.must(["ip6tables-save", "-t", "mangle"]))?.[1]);

for (const debian of someDebians("segments")) {
  Deno.test(`large transfers, whatever is too big and whoever is silent about it, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { net, client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    const mtu = async (bytes: number) => {
      await gw.must(["ip", "link", "set", "dev", "ovl0", "mtu", `${bytes}`]);
      // The host knows nothing of a narrower link: with its own it would announce small segments by itself.
      await host.must(["ip", "link", "set", "dev", "eth0", "mtu", `${Math.max(1500, bytes)}`]);
    };
    /** What somebody said about sizes is remembered for ten minutes (ip-sysctl.rst, mtu_expires). */
    const forget = async () => {
      for (const place of [client, gw, host]) await place.must("ip route flush cache; ip -6 route flush cache");
    };
    // Between namespaces a packet may hold many segments; for a rule about lengths each is to be what it is on a wire.
    for (const place of [client, host]) await place.must(["ip", "link", "set", "dev", "eth0", "gso_max_segs", "1"]);
    let port = 5100;

    await chapter("without a clamp a transfer does not get through where too big is not said", async () => {
      await gw.write(CONFIG, `${INTERFACE_GATEWAY}nat64:\n  mss: off\n`);
      await mtu(1280);
      await crxn(gw, `up --yes --target ${HOST}`);
      await answersWithin(5, client);
      for (const [at, side] of [[client, "client"], [host, "overlay"]] as const) await filter(at, side, "-A");
      await assertRejects(() => move(client, host, port++, 6));
      for (const [at, side] of [[client, "client"], [host, "overlay"]] as const) await filter(at, side, "-D");
      await gw.write(CONFIG, INTERFACE_GATEWAY);
    });
    for (const bytes of [1280, 1420, 1500, 65535]) {
      await chapter(
        `overlay of ${bytes} bytes: too big filtered at the client, at the overlay's host, at both`,
        async () => {
          await mtu(bytes);
          await crxn(gw, `up --yes --target ${HOST}`);
          assertEquals(await held(gw), Math.min(bytes - 40, 1440));
          for (const sides of [["client"], ["overlay"], ["client", "overlay"]] as const) {
            const each = sides.map((side) => [side === "client" ? client : host, side] as const);
            for (const [at, side] of each) await filter(at, side, "-A");
            await move(client, host, port++);
            for (const [at, side] of each) await filter(at, side, "-D");
          }
          await assertNothingToDo(gw);
        },
      );
    }
    for (
      const [where, at, family, passes, mss] of [
        ["over the overlay", host, "4", 1300, 1260],
        ["to the IPv6 router", net, "6", 1350, 1290],
      ] as const
    ) {
      await chapter(
        `a black hole ${where} that no link tells of: measured, and TCP is held to what passes`,
        async () => {
          await mtu(1500);
          await crxn(gw, "up --yes");
          assertEquals(await held(gw), 1440);
          await narrow(at, family, passes, "-A");
          await forget();
          await assertRejects(() => move(client, host, port++, 6));
          const { stdout } = await crxn(gw, `up --yes --target ${HOST}`);
          assertStringIncludes(stdout, `Of 1500 bytes ${passes} pass ${where}`);
          assertStringIncludes(stdout, `TCP is held to segments of ${mss} bytes, from 1440.`);
          assertEquals(await held(gw), mss);
          await move(client, host, port++);
          // It stays, for the next `up` as well, which has no host to measure with.
          await assertNothingToDo(gw);
          const doctor = await gw.run(["crxn", "doctor", "--json", "--target", HOST]);
          const finding = JSON.parse(doctor.stdout).findings.find((f: { id: string }) => f.id === "path-mtu");
          assert(/segments of \d+, which pass/.test(finding.found), finding.found);
        },
      );
      await chapter(`wide again ${where}: so are segments`, async () => {
        await narrow(at, family, passes, "-D");
        const { segments } = JSON.parse((await crxn(gw, `up --yes --json --target ${HOST}`)).stdout);
        assertEquals(segments.mss, 1440);
        assertEquals(await held(gw), 1440);
        await move(client, host, port++);
      });
    }
    await chapter("down takes it all back", async () => {
      await crxn(gw, "down --yes");
      assertEquals(await held(gw), NaN);
      await assertRejects(() => move(client, host, port++, 4));
    });
  });
}
