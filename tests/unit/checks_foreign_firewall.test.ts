/** Firewalls of others that take a gateway's packets: each is one finding, which names place and owner; and those that do not. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Finding } from "../../checks/check.ts";
import { forwardedPackets } from "../../gateway/netfilter/packets.ts";
import type { Survey } from "../../gateway/survey.ts";
import { parseSave } from "../../machine/iptables.ts";
import { healthy, recompute } from "./surveys/builder.ts";
import { diagnose } from "./surveys/diagnose.ts";
import { reachOf } from "./surveys/fault.ts";
import { add, nft } from "./surveys/firewall_case.ts";
import { FORWARD_CASES } from "./surveys/forward_cases.ts";
import { HARMLESS_CASES } from "./surveys/harmless_cases.ts";
import { INPUT_CASES } from "./surveys/input_cases.ts";
import { NAT_CASES } from "./surveys/nat_cases.ts";

const CASES = [...FORWARD_CASES, ...NAT_CASES, ...INPUT_CASES, ...HARMLESS_CASES];

const line = (f: Finding) => `${f.verdict} ${f.id}: ${f.found}`;

for (const { name, setup = "interface", options = {}, make, want, fix } of CASES) {
  Deno.test(`doctor: ${name}: ${want?.[0] ?? "nothing to say"}`, async () => {
    const input = await healthy(setup, options);
    make(input.survey);
    const findings = diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict));
    if (!want) return assertEquals(findings.map(line), []);
    assertEquals(findings.map((f) => `${f.verdict} ${f.id}`), [want[0]], findings.map(line).join("\n"));
    for (const words of want.slice(1)) assertStringIncludes(findings[0]!.found!, words);
    if (fix) {
      const commands = findings[0]!.fix!.map((argv) => argv.join(" "));
      assert(commands.includes(fix), commands.join("\n"));
    }
  });
}

Deno.test("forwardedPackets: a network of one address is that host, and every slice has a packet", async () => {
  const input = await healthy("two nodes");
  const { blueprint: { config, ways } } = input;
  ways[1]!.networks = ["10.1.0.3/32"];
  const kinds = forwardedPackets({ config, ways, uplink: "eth0", survey: input.survey });
  const to = (
    family: string,
    device: string,
  ) => [
    ...new Set(kinds.filter((k) => k.family === family && k.packet.out === device).map((k) => k.packet.destination)),
  ];
  assertEquals(to("inet", ways[1]!.device), ["10.1.0.3"]);
  assertEquals(to("inet6", "nat64-ygg"), ["2001:db8:300:4::a00:1", "2001:db8:300:4::a01:3"]);
});

Deno.test("input-policy: ufw is not told to open every port for answers, nor to take ICMPv6, which it cannot", async () => {
  const rules = {
    inet: parseSave("*filter\n:INPUT DROP [0:0]\n:ufw-user-input - [0:0]\nCOMMIT\n"),
    inet6: parseSave("*filter\n:INPUT DROP [0:0]\n:ufw6-user-input - [0:0]\nCOMMIT\n"),
  };
  const input = await healthy("yggdrasil", { rules });
  const finding = diagnose(input).find((f) => f.id === "input-policy")!;
  assertEquals(finding.verdict, "fail");
  const commands = finding.fix!.map((argv) => argv.join(" "));
  assertEquals(commands.filter((c) => c.startsWith("/usr/sbin/ufw")), []);
  assert(commands.some((c) => c.includes("--icmpv6-type 135")), commands.join("\n"));
  assert(commands.some((c) => c.includes("--ctstate RELATED,ESTABLISHED")), commands.join("\n"));
});

Deno.test("doctor: a native policy and a chain of crxn's own that is gone are both named", async () => {
  const input = await healthy("interface");
  nft("ip mine forward 0", [], { policy: "drop" })(input.survey);
  input.survey.rules.inet!["filter"]!["FORWARD"]!.rules = [];
  const [only] = diagnose(input).filter((f) => f.verdict === "fail");
  assertStringIncludes(only!.found!, "no jump from FORWARD");
  assertStringIncludes(only!.found!, "nftables table ip mine");
});

Deno.test("dropsOf: whether crxn's chains accept does not change what is wanted, and a rule that went is a warning at most", async () => {
  const rules = { inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j REJECT\nCOMMIT\n"), inet6: {} };
  const input = await healthy("interface", { rules: structuredClone(rules) });
  const forward = (s: Survey) => s.rules.inet!["filter"]!;
  assert(forward(input.survey)["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
  assertEquals(recompute(input).blueprint.items, input.blueprint.items);
  assertEquals(diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict)).map(line), []);
  forward(input.survey)["FORWARD"]!.rules.pop();
  const left = diagnose(input).filter((f) => !["pass", "skip"].includes(f.verdict));
  assertEquals(left.map((f) => `${f.verdict} ${f.id}`), ["warn drift"], left.map(line).join("\n"));
});

Deno.test("overlay-peers: a far node whose answers a firewall drops is not called silent", async () => {
  const input = await healthy("yggdrasil");
  add("inet6", "filter", "INPUT", "-i ygg -p ipv6-icmp -j DROP")(input.survey);
  input.reach = reachOf(input, [0]);
  const peers = diagnose(input).find((f) => f.id === "overlay-peers")!;
  assertEquals(peers.verdict, "unknown");
  assertStringIncludes(peers.found!, "ICMPv6 packets from the far node");
  input.survey.rules.inet6!["filter"]!["INPUT"]!.rules.pop();
  assertEquals(diagnose(input).find((f) => f.id === "overlay-peers")!.verdict, "fail");
});

Deno.test("dropsOf: a rule that only may drop leaves the last word to others", async () => {
  const rules = {
    inet: parseSave("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m mark --mark 1 -j DROP\nCOMMIT\n"),
    inet6: {},
  };
  const { survey } = await healthy("interface", { rules });
  assert(!survey.rules.inet!["filter"]!["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
});

for (
  const [name, ...lines] of [
    ["where it accepts", "-A a -d 10.0.0.0/24 -j ACCEPT", "-A a -s 10.0.0.0/24 -j ACCEPT"],
    ["one chain before", "-A a -d 10.0.0.0/24 -j b", "-A a -s 10.0.0.0/24 -j b", "-A b -j c", "-A c -j ACCEPT"],
    ["one chain before, negated", "-A a ! -p udp -j b", "-A b -j ACCEPT"],
  ] as [string, ...string[]][]
) {
  Deno.test(`dropsOf: a rule for some addresses says nothing of the others, ${name}`, async () => {
    const chains = ":FORWARD DROP [0:0]\n:a - [0:0]\n:b - [0:0]\n:c - [0:0]\n-A FORWARD -j a";
    const rules = { inet: parseSave(`*filter\n${chains}\n${lines.join("\n")}\nCOMMIT\n`), inet6: {} };
    const { survey } = await healthy("interface", { rules });
    assert(survey.rules.inet!["filter"]!["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
  });
}

Deno.test("dropsOf: a rule for all of the devices' packets accepts them, however many chains away", async () => {
  const chains = ":FORWARD DROP [0:0]\n:a - [0:0]\n:b - [0:0]\n-A FORWARD -o wg0 -j a\n-A FORWARD -i wg0 -j a";
  const rules = { inet: parseSave(`*filter\n${chains}\n-A a -j b\n-A b -j ACCEPT\nCOMMIT\n`), inet6: {} };
  const { survey } = await healthy("interface", { rules });
  assert(!survey.rules.inet!["filter"]!["CRXN-FORWARD"]!.rules.some((r) => r.at(-1) === "ACCEPT"));
});
