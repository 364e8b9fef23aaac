import { Program } from "../../gateway/action.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { evidenceOf } from "../../checks/evidence.ts";
import { blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { factsOf } from "../../gateway/facts.ts";
import { see } from "../../gateway/see.ts";
import type { Survey } from "../../gateway/survey.ts";
import { parsePackages, parsePurge, parseSimulation } from "../../machine/apt.ts";
import { parseLinks, parseRoutes } from "../../machine/ip.ts";
import { parseSave, ruleWords } from "../../machine/iptables.ts";
import { parseNft } from "../../machine/nft.ts";
import { parsePing } from "../../machine/ping.ts";
import type { Result, Runner } from "../../machine/run.ts";
import { readSurvey } from "../../machine/survey.ts";
import { parseSysctls } from "../../machine/sysctl.ts";
import { parseUnits } from "../../machine/systemd.ts";
import { parsePeers, parseSelf } from "../../machine/yggdrasil.ts";
import { FAR } from "./fake/configs.ts";
import { recorded } from "./recorded.ts";

const DEBIANS = ["bookworm", "trixie"] as const;
const UNITS = ["crxn-firewall.service", "tayga@ygg.service", "yggdrasil.service", "tayga.service", "nonesuch.service"];
UNITS.push("network-online.target");

/** A machine after `crxn up` with a yggdrasil gateway, as its programs described it. */
function survey(debian: string): Survey {
  const of = (name: string) => recorded(debian, name);
  const nft = parseNft(of("nft-ruleset.json"));
  return {
    root: true,
    os: { id: "debian", version: "13", name: "" },
    systemd: true,
    tun: true,
    packages: parsePackages(of("dpkg-query")),
    files: {},
    sysctls: parseSysctls(of("sysctl")),
    links: parseLinks(of("ip-address.json")),
    routes: [...parseRoutes(of("ip-route4.json"), "inet"), ...parseRoutes(of("ip-route6.json"), "inet6")],
    rules: { inet: parseSave(of("iptables-save")), inet6: parseSave(of("ip6tables-save")) },
    nftables: nft.tables,
    native: nft.chains,
    units: parseUnits(of("systemctl-show"), UNITS),
    overlay: { ...parseSelf(of("getself.json")), peers: parsePeers(of("getpeers.json")) },
    unknown: [],
  };
}

const CONFIG = `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay: {type: yggdrasil, tunnel: vxlan, routes: [{to: 10.0.0.0/8, via: ${FAR}}]}
`;

for (const debian of DEBIANS) {
  Deno.test(`see: every item of a real gateway is recognised in what its programs print (${debian})`, async () => {
    const real = survey(debian);
    const { publicKey, address } = real.overlay!;
    const identity = { publicKey: publicKey!, address: address!, from: "config" as const, text: `{PrivateKey: "00"}` };
    const facts = factsOf(await parseConfig(CONFIG, "f"), real, { identity, tunnel: { kind: "vxlan", why: "" } });
    assertEquals(facts.uplink, { name: "eth0", mtu: 1500 });
    const { items } = blueprint(await parseConfig(CONFIG, "f"), facts);
    const asked = items.filter((i) => i.kind !== "file" && !(i.kind === "service" && !UNITS.includes(i.unit)));
    const missing = asked.map((i) => [i.id, see(i, real)] as const).filter(([, s]) => s.is !== "present");
    assertEquals(missing, []);
    assert(asked.length > 25);
    const limits = items.find((i) => i.kind === "table")!;
    assertStringIncludes(evidenceOf(limits, real)[0]!.output, `chain forward: 3 rules ${limits.mark}`);
  });

  Deno.test(`parseUnits: each asked unit has its answer, a missing one too (${debian})`, () => {
    const units = parseUnits(recorded(debian, "systemctl-show"), UNITS);
    assertEquals(Object.keys(units), UNITS);
    assertEquals(units["nonesuch.service"]!.load, "not-found");
    const tayga = units["tayga@ygg.service"]!;
    assertEquals([tayga.load, tayga.active, tayga.sub, tayga.enabled], ["loaded", "active", "running", "enabled"]);
    assert(tayga.pid > 1 && new Date(tayga.since).getUTCFullYear() >= 2024);
    assertEquals(units["crxn-firewall.service"]!.sub, "exited");
  });

  Deno.test(`parseSave: rules of iptables-legacy, with words in quotes (${debian})`, () => {
    const forward = parseSave(recorded(debian, "iptables-legacy-save"))["filter"]!["FORWARD"]!;
    assertEquals(forward.policy, "DROP");
    const words = ["-s", "192.0.2.7/32", "-m", "comment", "--comment", 'a "quoted" word', "-j", "ACCEPT"];
    assertEquals(forward.rules, [words]);
  });

  Deno.test(`parseSimulation: what apt would bring (${debian})`, () => {
    const brings = parseSimulation(recorded(debian, "apt-simulate"));
    for (const name of ["tayga", "yggdrasil", "nftables", "iptables"]) assert(brings.includes(name), name);
    assert(!brings.includes("iproute2"), "it is there already");
  });

  Deno.test(`parsePing: what came back (${debian})`, () => {
    const { sent, received, times } = parsePing(recorded(debian, "ping"));
    assertEquals([sent, received, times.length], [2, 2, 2]);
  });
}

Deno.test("parseSimulation: an upgrade brings nothing new", () => {
  assertEquals(
    parseSimulation("Inst iptables [1.8.9-2] (1.8.9-3 Debian:12 [amd64])\nInst tayga (0.9.2-8 Debian:12 [amd64])\n"),
    [
      "tayga",
    ],
  );
});

Deno.test("parsePurge: what goes, and what comes or changes in its place", () => {
  const output = `NOTE: This is only a simulation!
The following packages will be REMOVED:
  mawk* netbase* libc6:i386*
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Purg mawk [1.3.4.20200120-3.1] []
Remv libc6:i386 [2.36-9]
Purg netbase [6.4]
`;
  assertEquals(parsePurge(output), ["base-files", "mawk", "libc6:i386", "netbase"]);
});

Deno.test("parsePackages: only what is wholly installed", () => {
  assertEquals(parsePackages("a installed 1\nb config-files 2\nc half-configured 3\n\nd installed\n"), { a: "1" });
});

Deno.test("parseSysctls: dots of an interface name stay dots, in slash form", () => {
  assertEquals(parseSysctls("net.ipv6.conf.eth0/100.accept_ra = 2\nnet.ipv4.ip_forward = 1\n"), {
    "net/ipv6/conf/eth0.100/accept_ra": "2",
    "net/ipv4/ip_forward": "1",
  });
});

Deno.test("ruleWords: as a shell would split them", () => {
  assertEquals(ruleWords('-A X --comment "a \\\\ b" -j Y'), ["-A", "X", "--comment", "a \\ b", "-j", "Y"]);
  assertEquals(ruleWords(""), []);
  const commented = ["-A", "X", "--comment", "a", "-j", "Y"];
  for (const line of ['-A X --comment "a" -j Y', "-A X --comment a -j Y", '-A X  --comment "a" -j Y']) {
    assertEquals(ruleWords(line), commented);
  }
  assertEquals(ruleWords('-A X --comment "a b" -j "Y"').slice(3), ["a b", "-j", "Y"]);
  assertEquals(ruleWords('-A X --comment "" -j Y').slice(2), ["--comment", "", "-j", "Y"]);
  assertEquals(ruleWords(" -A  X\t-p gre -j Y "), ["-A", "X", "-p", "47", "-j", "Y"]);
  assertEquals(ruleWords("-A X -s 10.0.0.0/8 -j Y"), ["-A", "X", "-s", "10.0.0.0/8", "-j", "Y"]);
});

Deno.test("ruleWords: what is split at spaces alone would be the same word by word", () => {
  const rules = ["bookworm", "trixie"].flatMap((debian) => recorded(debian, "iptables-save").split("\n"))
    .filter((line) => line.startsWith("-A "));
  assert(rules.length > 10 && rules.some((line) => line.includes('"')));
  for (const line of rules) assertEquals(ruleWords(line), ruleWords(line, true), line);
});

/** Answers every question with the recorded output, damaged by `spoil`. */
function damaged(debian: string, spoil: (text: string) => string, code = 0): Runner {
  const name = ([program, ...words]: string[]): string => {
    const is = (word: string) => words.includes(word);
    if (program!.endsWith("/ip")) {
      return is("address") ? "ip-address.json" : is("-6") ? "ip-route6.json" : "ip-route4.json";
    }
    if (program!.endsWith("yggdrasilctl")) return is("getSelf") ? "getself.json" : "getpeers.json";
    if (program!.endsWith("nft")) return "nft-ruleset.json";
    if (program!.endsWith("systemctl")) return "systemctl-show";
    return program!.slice(program!.lastIndexOf("/") + 1);
  };
  return {
    run: (argv): Promise<Result> => {
      // Of iptables-legacy, whose tables depend on the machine that runs the test: none.
      if (argv[0] === Program.grep) return Promise.resolve({ argv, code: 1, stdout: "", stderr: "" });
      return Promise.resolve({ argv, code, stdout: spoil(recorded(debian, name(argv))), stderr: "" });
    },
  };
}

const QUESTIONS = { files: [], units: UNITS, overlay: true };

Deno.test("readSurvey: recorded output leaves nothing unknown", async () => {
  for (const debian of DEBIANS) {
    const read = await readSurvey(damaged(debian, (t) => t), QUESTIONS);
    assertEquals(read.unknown, []);
    assert(read.links.length > 3 && read.routes.length > 10 && read.overlay?.publicKey);
  }
});

Deno.test("readSurvey: empty, truncated or senseless output never throws; what it lost is said to be unknown", async () => {
  const spoilers: Record<string, (t: string) => string> = {
    empty: () => "",
    half: (t) => t.slice(0, t.length / 2),
    "all but the end": (t) => t.slice(0, -3),
    binary: () => "\u0000\ufffd\u0007 = \n\n\n=\n*\n:\n-A\n",
    "another JSON": () => '[null, 7, "x", {"ifname": 3}, {"ifname": "a", "flags": 7, "addr_info": [null, {}]}]',
    "an object": () => '{"peers": [null, 3, {"remote": 7}], "key": 9}',
  };
  for (const [name, spoil] of Object.entries(spoilers)) {
    const read = await readSurvey(damaged("trixie", spoil), QUESTIONS);
    if (name === "half" || name === "all but the end") {
      for (const what of ["links", "routes"]) {
        assert(read.unknown.some((u) => u.startsWith(what)), `${name}: ${what} ${JSON.stringify(read.unknown)}`);
      }
    }
    if (name === "empty") assert(read.unknown.some((u) => u.startsWith("sysctls")));
  }
});

Deno.test("readSurvey: programs that fail are unknown, not an empty machine", async () => {
  const read = await readSurvey(damaged("trixie", () => "", 1), QUESTIONS);
  for (const what of ["packages", "sysctls", "links", "units"]) {
    assert(read.unknown.some((u) => u.startsWith(what)), `${what}: ${JSON.stringify(read.unknown)}`);
  }
  assertEquals([read.rules, read.nftables, read.packages, read.overlay], [{}, undefined, undefined, undefined]);
});

Deno.test("parseSave: GRE by its name (iptables 1.8.9) and by its number (1.8.11) is the same; a comment stays as it is", () => {
  const save = (rule: string) =>
    parseSave(`*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule}\nCOMMIT\n`)["filter"]?.["INPUT"]?.rules;
  assertEquals(save("-s 200::1/128 -p gre -j DROP"), save("-s 200::1/128 -p 47 -j DROP"));
  assertEquals(save('-m comment --comment "-p gre" -j DROP'), [["-m", "comment", "--comment", "-p gre", "-j", "DROP"]]);
});

Deno.test("parseLinks: an Ethernet device without ARP is told from one that has no use for it", () => {
  const of = (link_type: string, ...flags: string[]) =>
    parseLinks(JSON.stringify([{ ifname: "x", link_type, flags: ["UP", ...flags] }]))[0]!.noArp;
  assertEquals([of("ether", "NOARP"), of("ether"), of("none", "NOARP"), of("gre6", "NOARP")], [
    true,
    undefined,
    undefined,
    undefined,
  ]);
});
