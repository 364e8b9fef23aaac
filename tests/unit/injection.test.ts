import { assert, assertEquals, assertMatch } from "@std/assert";
import limits from "../../assets/limits.nft" with { type: "text" };
import sandbox from "../../assets/units/sandbox.conf" with { type: "text" };
import firewallUnit from "../../assets/units/crxn-firewall.service" with { type: "text" };
import linkUnit from "../../assets/units/crxn-link.service" with { type: "text" };
import overlayUnit from "../../assets/units/crxn-overlay.service" with { type: "text" };
import translatorUnit from "../../assets/units/tayga@.service" with { type: "text" };
import yggdrasilDropIn from "../../assets/units/yggdrasil.conf" with { type: "text" };
import linkScript from "../../assets/link.sh" with { type: "text" };
import hjson from "hjson";
import { type Blueprint, blueprint } from "../../gateway/blueprint.ts";
import { formatAddress } from "../../gateway/cidr.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import { ConfigError } from "../../gateway/config/problem.ts";
import type { FileItem } from "../../gateway/item.ts";
import { dice } from "./dice.ts";
import { FACTS, GOLDEN } from "./golden_configs.ts";

const UNITS = [firewallUnit, linkUnit, overlayUnit, translatorUnit, yggdrasilDropIn];
const DIRECTIVES =
  /^(Description|Documentation|After|Before|Wants|Requires|StartLimitIntervalSec|Type|RemainAfterExit|Restart|RestartSec|StateDirectory|ExecStartPre|ExecStart|WantedBy)=/;
const PROGRAMS = ["ip", "sysctl", "tayga", "iptables-restore", "ip6tables-restore", "nft"].map((p) => `/usr/sbin/${p}`);
/** The only shell: nothing in it is of the config. */
const JUMP =
  "jump() { $$1 -w -t $$2 -C $$3 -m comment --comment crxn:jump -j CRXN-$$3 2>/dev/null || $$1 -w -t $$2 -I $$3 1 -m comment --comment crxn:jump -j CRXN-$$3; }; ";
const IN_SHELL = [
  /^\/usr\/sbin\/ip(6?)tables-restore -w -n \/etc\/crxn\/rules\.v[46]$/,
  /^jump \/usr\/sbin\/ip6?tables (?:filter|nat|mangle|raw) [A-Z]+$/,
  /^\/usr\/sbin\/nft -f \/etc\/crxn\/limits\.nft$/,
];
function checkShell(command: string): void {
  const [, script = ""] = /^\/bin\/sh -ec '([^']*)'$/.exec(command) ?? [];
  assert(script.startsWith(JUMP), command);
  for (const one of script.slice(JUMP.length).trim().split(/; +/)) {
    assert(IN_SHELL.some((form) => form.test(one)), one);
  }
}
/** The only file that is copied: nothing in either path is of the config but the instance's name. */
const COPY =
  /^\/usr\/bin\/cp \/sys\/devices\/system\/node\/node0\/cpumap \/sys\/class\/net\/nat64-[a-z0-9-]+\/queues\/rx-0\/rps_cpus$/;
/** What an argument may consist of: no white space, quote, `%`, `$`, or anything that a shell or systemd knows. */
const WORD = /^[A-Za-z0-9_@:.,/=+-]+$/;

/** Lines of the assets without a value of any config. */
const SANDBOX = new Set(
  [sandbox, ...UNITS].flatMap((text) => text.split("\n")).filter((l) =>
    /^[A-Z]\w+=/.test(l) && !/\{\{|%|^Exec/.test(l)
  ),
);

function checkUnit({ path, content }: FileItem): void {
  // Its only argument is a file of ours.
  const text = content.replace("\nExecStart=/bin/sh /etc/crxn/link.sh\n", "\n").replaceAll("\\\n", "");
  for (const line of text.split("\n").filter((l) => l !== "" && !l.startsWith("#"))) {
    if (SANDBOX.has(line)) continue;
    if (/^\[(Unit|Service|Install)\]$/.test(line)) continue;
    assertMatch(line, DIRECTIVES, path);
    const command = /^ExecStart(?:Pre)?=[-+]*(.*)$/.exec(line)?.[1];
    if (command === undefined || COPY.test(command)) continue;
    if (command.startsWith("/bin/sh ")) {
      checkShell(command);
      continue;
    }
    const [program, ...words] = command.split(" ");
    assert(PROGRAMS.includes(program!), `${path}: ${line}`);
    for (const word of words) assert(WORD.test(word.replace("/%i.", "/i.")), `${path}: ${word}`);
  }
}

/** ip(8), -batch: a command for each line; no quote, no backslash and no `#` behind the first line. */
function checkBatch({ content }: FileItem): void {
  const [header, ...lines] = content.trimEnd().split("\n");
  assert(header!.startsWith("# "));
  for (const line of lines) assertMatch(line, /^(route|address) replace [\w.:/ -]+$/);
}

function checkRules({ path, content }: FileItem): void {
  for (const line of content.split("\n").slice(1, -1)) {
    assertMatch(
      line,
      /^(\*(filter|nat|mangle|raw)|:CRXN-[A-Z]+ - \[0:0\]|COMMIT|-A CRXN-[A-Z]+ [\w@:.,/ =+![\]-]+)$/,
      path,
    );
    if (line.startsWith("-A")) assertEquals(line.match(/--comment crxn:/g)?.length, 1, line);
  }
}

/** The script, but for the values in it, is the asset: each value is a line of its own, and of plain words. */
function checkScript({ path, content }: FileItem): void {
  const [head, put, rest] = content.split(/\nput\(\) \{\n\tfailed=\n|\n\t\[ -z "\$failed" \]\n/);
  assert(head && put && rest, path);
  const [asset, , tail] = linkScript.split(/\nput\(\) \{\n\tfailed=\n|\n\t\[ -z "\$failed" \]\n/);
  assertEquals(rest, tail, path);
  assertMatch(head, /\nlink=[A-Za-z0-9_.-]+\n/);
  assertEquals(head.replace(/^link=.*$/m, "").split("\n").length, asset!.split("\n").length);
  for (const line of put.split("\n")) {
    const words = /^\t(?:\[ -n "\$\((.*)\)" \] \|\||\t?(.*) \|\| failed=yes)$/.exec(line);
    const [program, ...others] = (words?.[1] ?? words?.[2] ?? "").split(" ");
    assertEquals(program, "/usr/sbin/ip", line);
    for (const word of others) assertMatch(word, WORD, line);
  }
}

function checkFile(file: FileItem): void {
  const lines = file.content.split("\n").filter((l) => l !== "" && !l.startsWith("#"));
  if (file.path.endsWith(".service") || file.path.endsWith("50-crxn.conf")) return checkUnit(file);
  if (file.path === "/etc/crxn/link.sh") return checkScript(file);
  if (file.path.endsWith(".ip")) return checkBatch(file);
  if (file.path.startsWith("/etc/crxn/rules.")) return checkRules(file);
  if (file.path === "/etc/crxn/limits.nft") return checkTable(file);
  if (file.path.startsWith("/etc/sysctl.d/")) {
    for (const line of lines) assertMatch(line, /^net\/[A-Za-z0-9_.\/-]+ = [0-9]+$/);
  } else if (file.path.startsWith("/etc/tayga/")) {
    for (const line of lines) {
      assertMatch(line, /^(tun-device|ipv4-addr|prefix|dynamic-pool|data-dir|map)( [\w:.\/-]+){1,2}$/);
    }
  } else assertEquals(file.path, "/etc/yggdrasil/yggdrasil.conf");
}

/** Nothing differs from one config to the other but numbers and the device's name. */
function checkTable({ content }: FileItem): void {
  const shape = (text: string) =>
    text.replace(/nat64-[\w.-]+( to \d+)?/g, "DEVICE").replace(/\{( "DEVICE",)* "DEVICE" \}/g, '"DEVICE"').replaceAll(
      "2001:db8:64::/96",
      "PREFIX",
    ).replace(/\d+/g, "N");
  const filled = limits.replace("{{header}}", content.split("\n")[0]!.slice(2))
    .replace("{{mark}}", "crxn:limits 1 nat64-x 2 3 4 5 PREFIX").replaceAll("{{device}}", '"nat64-x"').replace(
      "{{prefix}}",
      "PREFIX",
    ).replace(
      /\{\{\w+\}\}/g,
      "6",
    );
  assertEquals(shape(content), shape(filled));
}

/** What its reader makes of it is what the config says, and nothing else. */
function checkYggdrasil({ content }: FileItem, { config: { overlay }, facts }: Blueprint): void {
  assert(overlay.type === "yggdrasil");
  const { TunnelRouting, ...rest } = hjson.parse(content) as Record<string, unknown>;
  assertEquals(rest, {
    ...facts.identity!.keys,
    Peers: overlay.peers,
    Listen: overlay.listen,
    IfName: overlay.interface,
    MulticastInterfaces: [],
    AdminListen: "unix:///var/run/yggdrasil/yggdrasil.sock",
  });
  if (facts.tunnel?.kind !== "ckr") return assertEquals(TunnelRouting, undefined);
  const section = TunnelRouting as Record<string, unknown>;
  assertEquals(Object.keys(section), facts.daemon!.ckr);
  const { RemoteSubnets, IPv4RemoteSubnets, IPv4LocalSubnets } = section;
  const routes = overlay.routes.map((r) => `${r.to} ${r.via}`).sort();
  if (RemoteSubnets) {
    const pairs = Object.entries(RemoteSubnets).flatMap(([key, list]) =>
      (list as string[]).map((to) => `${to} ${key}`)
    );
    assertEquals(pairs.sort(), routes);
  }
  if (IPv4RemoteSubnets) {
    assertEquals(Object.entries(IPv4RemoteSubnets).map(([to, key]) => `${to} ${key}`).sort(), routes);
  }
  if (IPv4LocalSubnets) { for (const to of IPv4LocalSubnets as string[]) assertMatch(to, /^[0-9.]+\/[0-9]+$/); }
}

const roll = dice(6052);
const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!;
const word = (letters: string, most: number) =>
  Array.from({ length: 1 + roll(most) }, () => pick([...letters])).join("");
const digits = (n: number) => Array.from({ length: n }, () => pick([..."0123456789abcdef"])).join("");
const ipv4 = (first: number) => `${first}.${roll(256)}.${roll(256)}.${1 + roll(254)}`;
const ipv6 = () =>
  formatAddress({ family: 6, value: BigInt(`0x2${digits(15)}${"0".repeat(16)}`) + BigInt(1 + roll(9999)) });
const interfaceName = () => word("abcxyzABC0189_.-", 15);
/** A few of the characters with which one breaks out, where a config might take them. */
const NASTY = ["%n", "$x", ";id", "`id`", "\\n", "'", " ", "\u00a0", "#", "-j ACCEPT", "\\x0a", "|"];

function randomConfig(): string {
  const gateway = roll(4) > 0;
  const keys = Array.from({ length: 1 + roll(3) }, () => `${digits(63)}1`);
  const routes = [`10.${roll(128)}.0.0/16`, `172.${16 + roll(16)}.0.0/16`, "10.200.0.0/14", "10.200.0.0/24"]
    .slice(0, 1 + roll(4));
  const networks = [`10.${128 + roll(64)}.0.0/16`, "192.0.2.0/24"].slice(roll(3));
  const nasty = roll(4) === 0;
  const spoil = (text: string) => JSON.stringify(text + (nasty && roll(5) === 0 ? pick(NASTY) : ""));
  const access = pick(["ping", "none", "all", `[${["tcp/22", `udp/${1 + roll(65535)}`].map(spoil).join(", ")}]`]);
  const link = roll(2) === 0;
  const overlay = link ? [`type: interface`, `interface: ${spoil(`w${interfaceName().slice(1)}`)}`] : [
    "type: yggdrasil",
    `interface: ${spoil(`w${interfaceName().slice(1)}`)}`,
    `peers: [${spoil(`tls://${word("abc", 9)}.example:${1 + roll(65535)}`)}]`,
    `listen: [${spoil(`tls://[::]:${1 + roll(65535)}`)}]`,
    ...(roll(2) === 0 ? [`local: [${networks.map(spoil).join(", ")}]`] : []),
  ];
  const via = () => !link ? `, via: ${spoil(pick(keys))}` : "";
  const addresses = [`${ipv4(10)}/32`, `10.255.${roll(256)}.1/24`, ipv4(11)].slice(0, 1 + roll(3)).map(spoil);
  return [
    `address: ${addresses.length === 1 && roll(2) === 0 ? addresses[0] : `[${addresses.join(", ")}]`}`,
    ...(gateway ? [`prefix: ${spoil("2001:db8:64::/96")}`] : []),
    ...(roll(3) === 0 ? [`uplink: ${spoil(`u${interfaceName().slice(1)}`)}`] : []),
    "overlay:",
    ...overlay.map((l) => `  ${l}`),
    `  access: ${access}`,
    "  routes:",
    ...routes.map((to) => `    - {to: ${spoil(to)}${via()}}`),
    ...(gateway
      ? [
        "nat64:",
        `  instance: ${spoil(`${word("abcxyz019-", 7)}i`.replace(/^-/, "a"))}`,
        `  pool: 192.168.${64 * roll(4)}.0/18`,
        `  clients: [${spoil(`${ipv6()}/128`)}]`,
        `  maps: [{ipv4: ${spoil(ipv4(11))}, ipv6: ${spoil(ipv6())}}]`,
        `  mss: ${pick(["auto", "off", "1220"])}`,
        `  workers: ${pick(["auto", "1", "2", "3", "16"])}`,
        `  limits: ${pick(["off", `{per64: ${1 + roll(999)}}`, `{per48: ${1 + roll(9999)}, flows: 9}`])}`,
      ]
      : []),
    "",
  ].join("\n");
}

Deno.test("blueprint: whatever a config says, no line of a file means anything else than it should (800 valid configs)", async () => {
  let [valid, refused] = [0, 0];
  const seen = new Set<string>();
  for (let tries = 0; valid < 800 && tries < 20_000; tries++) {
    const text = randomConfig();
    try {
      const config = await parseConfig(text, "crxn.yaml", { cores: 4, memory: 4096 });
      const name = pick(["yggdrasil-vxlan", "yggdrasil-ip6gre", "ckr-0.3", "ckr-schema2", "ckr-newest"]);
      const ygg = config.overlay.type === "yggdrasil" ? GOLDEN[name]!.facts : {};
      const plan = blueprint(config, { ...FACTS, ...ygg, advertised: [interfaceName()] });
      for (const item of plan.items) {
        if (item.kind !== "file") continue;
        checkFile(item);
        if (item.path === "/etc/yggdrasil/yggdrasil.conf") checkYggdrasil(item, plan);
      }
      if (plan.nodes.length > 0) seen.add(`${name}: ${plan.nodes.length} nodes`);
      valid++;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw new Error(text, { cause: error });
      refused++;
    }
  }
  assertEquals(valid, 800);
  // Each kind of tunnel with one, two and three nodes.
  assertEquals(seen.size, 15, [...seen].join(", "));
  assert(refused > 100, `only ${refused} were refused: the nasty ones got through`);
});
