import { assert, assertEquals } from "@std/assert";
import { embed } from "../../gateway/address.ts";
import { Lab, type Machine, type Namespace, type Net, type Place } from "../rig/mod.ts";
import {
  answersWithin,
  assertSilent,
  chaptersOf,
  CONFIG,
  crxn,
  HOST,
  INTERFACE_GATEWAY,
  MAPPED,
  sceneOf,
  someDebians,
} from "../machines/story.ts";
import { answering, ensureTools, reachedPorts, sendPackets } from "./tools.ts";

// Who reaches what: through the prefix the overlay, from the overlay nothing of the machine, from forged sources nobody.

const PREFIX = "2a04:5b80:300:4::/96";
const PORTS = [22, 8080];
const LOOPBACK = "127.0.0.1";
/** Written by this test with UPDATE=1, and compared otherwise. */
const DOCS = new URL("../../docs/security.md", import.meta.url);

/** What a scan is for, and its IPv4 address. */
type Targets = [what: string, address: string][];

const targetsOf = async (gw: Machine, other: Namespace): Promise<Targets> => [
  ["a host of the overlay", HOST],
  ["the gateway's address in the overlay", "10.5.0.1"],
  ["the gateway's address in another network of its own", "192.168.7.1"],
  ["a host of that network", "192.168.7.5"],
  ["the gateway's IPv4 address at the uplink", await ipv4Of(gw)],
  ["loopback", LOOPBACK],
  ["tayga's own address", "100.64.0.1"],
  ["an address of the pool", "100.64.0.2"],
  ["an IPv4 host of the Internet", await ipv4Of(other)],
];

const ipv4Of = async (place: Place) =>
  /inet (\S+)\//.exec(await place.must("ip -4 -o address show dev eth0 scope global"))![1]!;

/** Those that answer, by their number. */
async function scan(from: Place, targets: Targets, by: (address: string) => string): Promise<Set<number>> {
  // Without a translator in between one's own would answer.
  const asked = targets.map(([, address]) => by(address)).filter((address) => address !== LOOPBACK);
  const up = await answering(from, asked);
  return new Set(targets.flatMap(([, address], i) => up.includes(by(address)) ? [i] : []));
}

const embedded = (address: string) => embed(PREFIX, address);
const same = (address: string) => address;

/** A network behind the gateway that has nothing to do with the overlay, and a service on the gateway. */
async function withLan(lab: Lab, gw: Machine): Promise<void> {
  await lab.overlayHost(gw, "lan0", {
    name: "lan",
    addresses: ["192.168.7.5/24"],
    machineAddress: "192.168.7.1/24",
    routes: ["default via 192.168.7.1"],
  });
  await gw.must("systemd-run -q --unit=listener systemd-socket-activate -l 8080 /bin/cat");
}

async function tabulate(targets: Targets, columns: Record<string, Set<number>>): Promise<void> {
  const names = Object.keys(columns);
  const table = [
    `| | ${names.join(" | ")} |`,
    `|---|${names.map(() => "---").join("|")}|`,
    ...targets.map(([what], i) =>
      `| ${what} | ${names.map((n) => columns[n]!.has(i) ? "answers" : "-").join(" | ")} |`
    ),
  ].map((line) => `${line}\n`).join("");
  const docs = await Deno.readTextFile(DOCS);
  const place = /(<!-- reach -->\n)[\s\S]*?(<!-- \/reach -->)/;
  assert(place.test(docs), "docs/security.md has no place for the table");
  const updated = docs.replace(place, (_, open, close) => open + table + close);
  if (Deno.env.get("UPDATE") === "1") return await Deno.writeTextFile(DOCS, updated);
  assertEquals(place.exec(docs)?.[0], place.exec(updated)?.[0], "docs/security.md says otherwise; UPDATE=1 writes it");
}

/** How many echo requests get to a place while `body` runs. */
async function heardBy(place: Place, body: () => Promise<unknown>): Promise<number> {
  const table = "table inet heard { chain in { type filter hook prerouting priority -500; " +
    "icmp type echo-request counter; icmpv6 type echo-request counter; }; }";
  await place.must(["nft", table]);
  try {
    await body();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const text = await place.must("nft list table inet heard");
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  } finally {
    await place.must("nft delete table inet heard");
  }
}

/** What comes from the neighbourhood of the uplink with a source that is not the sender's. */
async function forgeries(net: Net, client: Namespace): Promise<Record<string, () => Promise<unknown>>> {
  const hping = (source: string, to: string) =>
    net.run(["hping3", "-q", "-1", "-c", "5", "-i", "u10000", "-a", source, to]);
  const forged6 = (source: string) => sendPackets(client, `IPv6(src="${source}", dst="${MAPPED}")/ICMPv6EchoRequest()`);
  return await Promise.resolve({
    "from the pool": () => hping("100.64.0.9", HOST),
    "from the overlay": () => hping("10.2.2.2", HOST),
    "from the prefix": () => forged6(embedded("10.2.2.2")),
  });
}

for (const debian of someDebians("reach")) {
  Deno.test(`attack: what is reached, and by whom, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await ensureTools();
    await using lab = await Lab.create();
    const { net, client, gw, host } = await sceneOf(lab, { debian, image: "ready" });
    const other = await net.client("other");
    await withLan(lab, gw);
    await host.must("ip route add default via 10.5.0.1 dev eth0 onlink");
    await assertSilent(client);
    await crxn(gw, "up --yes");
    await answersWithin(5, client);
    const targets = await targetsOf(gw, other);
    const found: Record<string, Set<number>> = {};

    await chapter("through the prefix the overlay, and nothing else", async () => {
      found["through the prefix"] = await scan(client, targets, embedded);
      assertEquals([...found["through the prefix"]], [0]);
      assertEquals(await reachedPorts(client, targets.slice(1).map(([, a]) => embedded(a)), PORTS), []);
      const rest = ["2a04:5b80:300:4::1", "2a04:5b80:300:4:1::1", "2a04:5b80:300:4::ffff:ffff"];
      assertEquals(await answering(client, rest), [], "the rest of the routed network");
    });
    await chapter("from the overlay pings of the gateway, and nothing else", async () => {
      // Of the overlay's own hosts this one is the only one.
      found["from the overlay"] = await scan(host, targets, same);
      assertEquals([...found["from the overlay"]], [0, 1, 2, 4], "its own addresses answer pings");
      const others = targets.slice(1).map(([, a]) => a).filter((a) => a !== LOOPBACK);
      assertEquals(await reachedPorts(host, others, PORTS), []);
    });
    await chapter("forged sources get nowhere", async () => {
      await net.must(`ip route replace 10.0.0.0/8 via ${await ipv4Of(gw)}`);
      const attacks = await forgeries(net, client);
      const pinging = () => client.run(["ping", "-c", "3", "-i", "0.1", MAPPED]);
      assertEquals(await heardBy(host, pinging), 3, "what is heard is counted");
      for (const [what, attack] of Object.entries(attacks)) assertEquals(await heardBy(host, attack), 0, what);
      // As a control: without the rules each of them arrives.
      await gw.must("iptables -t raw -F CRXN-PREROUTING; ip6tables -t raw -F CRXN-PREROUTING");
      for (const [what, attack] of Object.entries(attacks)) {
        assertEquals(await heardBy(host, attack) > 0, true, `${what}, without the rules`);
      }
      await crxn(gw, "up --yes");
    });
    await chapter("services by name, all, or nothing", async () => {
      const withAccess = async (access: string) => {
        await gw.write(CONFIG, INTERFACE_GATEWAY.replace("routes:", `access: ${access}\n  routes:`));
        await crxn(gw, "up --yes");
      };
      await withAccess("[tcp/8080]");
      assertEquals(await reachedPorts(host, ["10.5.0.1"], PORTS), ["10.5.0.1 8080"]);
      assertEquals(await reachedPorts(client, [embedded("10.5.0.1")], PORTS), [], "not through the prefix");
      await withAccess("none");
      assertEquals([...await scan(host, targets, same)], [0]);
      await withAccess("all");
      found["from the overlay, with `access: all`"] = await scan(host, targets, same);
      // The control of the scans above: what is there can be found.
      for (const i of [1, 2, 3, 4]) {
        assertEquals(found["from the overlay, with `access: all`"]!.has(i), true, targets[i]![0]);
      }
      assertEquals(await reachedPorts(host, ["10.5.0.1"], PORTS), PORTS.map((port) => `10.5.0.1 ${port}`));
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      await crxn(gw, "up --yes");
    });
    await chapter("as a control: a gateway without these rules, with its whole prefix routed", async () => {
      const flush = ["FORWARD", "INPUT"].flatMap((c) => [`iptables -F CRXN-${c}`, `ip6tables -F CRXN-${c}`]).join("; ");
      await gw.must(`${flush}; ip -6 route replace ${PREFIX} dev nat64-ygg`);
      found["through a prefix without crxn's rules"] = await scan(client, targets, embedded);
      for (const i of [0, 1, 2, 3, 4]) {
        assertEquals(found["through a prefix without crxn's rules"]!.has(i), true, targets[i]![0]);
      }
      await gw.must(`ip -6 route del ${PREFIX} dev nat64-ygg`);
      await crxn(gw, "up --yes");
      assertEquals([...await scan(client, targets, embedded)], [0]);
    });
    await tabulate(targets, found);
  });
}
