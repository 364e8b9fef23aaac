/** What the checks of the overlay say of peers, far nodes and tunnel routing, in words. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckInput } from "../../checks/check.ts";
import { CHECKS } from "../../checks/list.ts";
import type { Probed } from "../../checks/probe_result.ts";
import { runChecks } from "../../checks/run.ts";
import { Path } from "../../gateway/names.ts";
import type { Peer } from "../../gateway/survey.ts";
import { routingSection } from "../../gateway/yggdrasil_config.ts";
import { FAR, healthy, SECOND } from "./surveys/builder.ts";
import { reachOf } from "./surveys/fault.ts";

const finding = (input: CheckInput, id: string) => runChecks(CHECKS, input, new Set([id]))[0]!;
const peersOf = (input: CheckInput) => finding(input, "overlay-peers");
const routingOf = (input: CheckInput) => finding(input, "tunnel-routing");
const down = (error?: string): Peer => ({
  uri: "tls://192.0.2.9:443",
  up: false,
  inbound: false,
  ...(error ? { error } : {}),
});

Deno.test("overlay-peers: every far node is asked; the one that is silent is named, with its networks and key", async () => {
  const input = await healthy("two nodes");
  input.reach = reachOf(input, [3, 3]);
  assertEquals([peersOf(input).verdict, peersOf(input).found], ["pass", "1 connected"]);
  input.reach = reachOf(input, [3, 0]);
  const { verdict, found, evidence } = peersOf(input);
  const [, second] = input.blueprint.nodes;
  assertEquals(verdict, "fail");
  assertStringIncludes(found!, `no answer from the far node ${second!.address} for 10.7.0.0/16 (key ${SECOND})`);
  assertStringIncludes(found!, "it is off, not connected to the same yggdrasil network, or nobody has this key");
  assert(!found!.includes(FAR), found);
  assertEquals(evidence!.at(-1)!.command, ["/usr/bin/ping", second!.address]);
  input.reach = reachOf(input, [0, 0]);
  for (const key of [FAR, SECOND]) assertStringIncludes(peersOf(input).found!, key);
});

Deno.test("overlay-peers: a key of the other generation is called that", async () => {
  const input = await healthy("yggdrasil");
  input.reach = reachOf(input, [0], true);
  assertStringIncludes(peersOf(input).found!, `the key cannot be a key of yggdrasil 0.5, which is the daemon here`);
  const old = await healthy("yggdrasil", { ckr: "0.3" });
  old.blueprint.facts.daemon!.generation = "0.3";
  old.reach = reachOf(old, [0], true);
  assertStringIncludes(peersOf(old).found!, "cannot be a key of yggdrasil 0.3");
});

Deno.test("overlay-peers: such a key is told also while nobody is connected, and a silent node while one of two peers is down", async () => {
  const input = await healthy("yggdrasil");
  input.reach = reachOf(input, [0], true);
  const [peer] = input.survey.overlay!.peers;
  input.survey.overlay!.peers = [down("connection refused")];
  for (const words of ["none of 1 peers is connected", "connection refused", `the key ${FAR} cannot be a key`]) {
    assertStringIncludes(peersOf(input).found!, words);
  }
  input.reach = reachOf(input, [0]);
  input.survey.overlay!.peers = [peer!, { ...down("connection refused"), uri: "tls://192.0.2.10:443" }];
  const { overlay } = input.blueprint.config;
  if (overlay.type === "yggdrasil") overlay.peers = [peer!.uri, "tls://192.0.2.10:443"];
  assertEquals(peersOf(input).verdict, "fail");
  assertStringIncludes(peersOf(input).found!, "no answer from the far node");
  input.reach = reachOf(input, [3]);
  assertEquals(peersOf(input).verdict, "warn");
});

Deno.test("overlay-service: says that a daemon of one's own is gone", async () => {
  const input = await healthy("yggdrasil");
  const { overlay } = input.blueprint.config;
  if (overlay.type === "yggdrasil") overlay.daemon = "/usr/local/sbin/mine";
  Object.assign(input.survey.units["yggdrasil.service"]!, { active: "activating", sub: "auto-restart", restarts: 7 });
  assert(!finding(input, "overlay-service").found!.includes("/usr/local/sbin/mine"));
  input.survey.programs = { "/usr/local/sbin/mine": null };
  assertStringIncludes(finding(input, "overlay-service").found!, "there is no /usr/local/sbin/mine");
});

Deno.test("overlay-peers: a far node that carries the probe is there, whatever it says to a ping", async () => {
  const input = await healthy("two nodes");
  input.reach = reachOf(input, [0, 0]);
  const probe: Probed = {
    ran: true,
    kind: "prefix",
    target: "10.7.0.3",
    address: "2001:db8:300:4::a07:3",
    sent: 3,
    received: 3,
    command: [],
    output: "",
  };
  const found = peersOf({ ...input, probe }).found!;
  assert(found.includes(FAR) && !found.includes(SECOND), found);
  // An answer of the far node itself, or none, proves nothing of what is behind it.
  for (const other of [{ ...probe, received: 0 }, { ...probe, kind: "overlay" as const }]) {
    assertStringIncludes(peersOf({ ...input, probe: other }).found!, SECOND);
  }
});

Deno.test("overlay-peers: peers of another generation: 0.5 says so itself, 0.4 in its log", async () => {
  const input = await healthy("yggdrasil");
  input.survey.overlay!.peers = [down("invalid handshake length, possible version mismatch")];
  const { verdict, found } = peersOf(input);
  assertEquals(verdict, "fail");
  assertStringIncludes(found!, "possible version mismatch (yggdrasil 0.3, 0.4 and 0.5 cannot peer with each other)");
  input.survey.overlay!.peers = [down("connection refused")];
  assert(!peersOf(input).found!.includes("cannot peer"));
  input.survey.overlay!.peers = [];
  const line = "Link handler tls://192.0.2.9:443 error (192.0.2.9:443): remote node is incompatible version";
  input.daemonLog = ["Connected", line, line, line, line];
  const logged = peersOf(input);
  assertStringIncludes(logged.found!, "its log says that a node of an incompatible version has tried");
  assertEquals(logged.evidence!.at(-1)!.output.split("\n").length, 3);
  input.daemonLog = ["Connected"];
  assert(!peersOf(input).found!.includes("incompatible"));
});

Deno.test("overlay-peers: a link-local peer is known again however its link is shown; 0.5 is said to dial it by QUIC only", async () => {
  const input = await healthy("yggdrasil");
  const { overlay } = input.blueprint.config;
  assert(overlay.type === "yggdrasil");
  overlay.peers = ["tls://[fe80::1%25eth0]:9001", "tls://192.0.2.9:443"];
  for (const uri of ["tls://[fe80::1%25eth0]:9001", "tls://[fe80::1%eth0]:9001"]) {
    input.survey.overlay!.peers = [{ uri, up: true, inbound: false }];
    assertStringIncludes(peersOf(input).found!, "1 connected, but not tls://192.0.2.9:443");
  }
  input.survey.overlay!.peers = [down("link-local address requires a zone")];
  assertStringIncludes(peersOf(input).found!, "(yggdrasil 0.5 dials link-local addresses by quic:// only)");
});

Deno.test("overlay-peers: nobody connected where nobody is dialled is a warning, until a far node is silent", async () => {
  const input = await healthy("node");
  input.survey.overlay!.peers = [];
  assertEquals(peersOf(input).verdict, "warn");
  assertStringIncludes(peersOf(input).found!, "nobody has connected");
  input.reach = reachOf(input, [0]);
  assertEquals(peersOf(input).verdict, "fail");
  input.reach = reachOf(input, [3]);
  assertEquals(peersOf(input).verdict, "warn");
  // 0.4 as listener says only in its log that somebody of 0.5 has tried.
  input.daemonLog = ["Link handler tls://192.0.2.7:48714 error (192.0.2.7:48714): remote node is incompatible version"];
  assertStringIncludes(peersOf(input).found!, "a node of an incompatible version has tried");
});

Deno.test("overlay-peers: 0.3 has no URI for a peer, and is connected nevertheless", async () => {
  const input = await healthy("yggdrasil", { ckr: "0.3" });
  input.survey.overlay!.peers = [{
    uri: "tcp://192.0.2.9:443",
    up: true,
    inbound: false,
    address: "200::1",
    key: "ab",
  }];
  assert(["pass", "warn"].includes(peersOf(input).verdict));
});

Deno.test("tunnel-routing: says which way IPv4 takes, and what the daemon can do", async () => {
  const vxlan = routingOf(await healthy("two nodes"));
  assertEquals(vxlan.verdict, "pass");
  assertStringIncludes(
    vxlan.found!,
    "crxn-6fa49781, crxn-3b6a27bc: vxlan (a test); /usr/sbin/yggdrasil: no tunnel routing",
  );
  const ckr = routingOf(await healthy("two nodes", { ckr: "2" }));
  assertStringIncludes(ckr.found!, "ygg: ckr (a test); /usr/sbin/yggdrasil: TunnelRouting with Enable, RemoteSubnets");
});

const withSection = (input: CheckInput, section: Record<string, unknown>): CheckInput => {
  const file = input.survey.files[Path.yggdrasilConfig]!;
  // As a daemon's config that somebody else has written: drift is another check's business.
  return {
    ...input,
    survey: {
      ...input.survey,
      files: {
        ...input.survey.files,
        [Path.yggdrasilConfig]: { ...file, content: JSON.stringify({ PrivateKey: "", TunnelRouting: section }) },
      },
    },
  };
};

Deno.test("tunnel-routing: networks of a section that the daemon passes over in silence are told, what is harmless is not", async () => {
  const stock = await healthy("yggdrasil");
  const told = routingOf(withSection(stock, { Enable: true, IPv4RemoteSubnets: { "10.9.0.0/16": FAR } }));
  assertEquals(told.verdict, "warn");
  assertStringIncludes(told.found!, "the daemon ignores IPv4RemoteSubnets of TunnelRouting");
  assertStringIncludes(told.found!, "it has no tunnel routing");
  const newer = await healthy("yggdrasil", { ckr: "2" });
  const own = routingSection(newer.survey.files[Path.yggdrasilConfig]!.content!);
  const schema = routingOf(withSection(newer, { ...own, IPv4RemoteSubnets: { "10.9.0.0/16": FAR } }));
  assertEquals(schema.verdict, "warn");
  assertStringIncludes(schema.found!, "its own is TunnelRouting with Enable, RemoteSubnets");
  for (
    const harmless of [
      { Enable: false, IPv4RemoteSubnets: { "10.9.0.0/16": FAR } },
      { Enable: true, IPv4RemoteSubnets: {} },
      { Enable: true, IPv4RemoteSubnets: null },
      { Enable: true, InstallRoutes: true },
    ]
  ) {
    assertEquals(routingOf(withSection(stock, harmless)).verdict, "pass", JSON.stringify(harmless));
  }
});

Deno.test("tunnel-routing: what the daemon says of networks and device, the last line of each kind; without ckr nothing", async () => {
  const lines = [
    'Error adding routed subnet "10.1.0.0/33": x',
    "Error adding CKR IPv4 remote subnet: invalid CIDR address: 10.1.0.0/33",
    "Failed to add route 10.1.0.0/16 to routing table: file exists",
    "An error occurred starting TUN/TAP: file exists",
  ];
  const input = await healthy("two nodes", { ckr: "2" });
  input.daemonLog = [...lines, ""];
  const { verdict, found, evidence } = routingOf(input);
  assertEquals(verdict, "fail");
  for (const line of lines.slice(1)) assertStringIncludes(found!, line);
  assert(!found!.includes(lines[0]!), found);
  assertEquals(evidence!.filter((e) => e.command[0]!.endsWith("journalctl")).length, 1);
  assertEquals(routingOf({ ...await healthy("two nodes"), daemonLog: lines }).verdict, "pass");
  input.daemonLog = ["Active IPv4 routes:", " - 10.1.0.0/16 via ab", "Added CKR remote subnet 10.1.0.0/16"];
  assertEquals(routingOf(input).verdict, "pass");
});
