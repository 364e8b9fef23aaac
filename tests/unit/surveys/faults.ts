/** Faults as they change a survey, each with the check that has to name it. */

import type { Reach } from "../../../checks/probe_result.ts";
import type { CheckInput } from "../../../checks/check.ts";
import { dropInPath, Path, Unit, unitPath } from "../../../gateway/names.ts";
import { addressFromKey } from "../../../gateway/yggdrasil_address.ts";
import type { Survey } from "../../../gateway/survey.ts";
import { HOST_FAULTS } from "./host_faults.ts";
import { filterOf, linkSeen, type Options, SECOND, type Setup } from "./builder.ts";

export interface Fault {
  name: string;
  setup?: Setup;
  options?: Options;
  check: string;
  make(survey: Survey, input: CheckInput): void;
}

const unit = (survey: Survey, name: string) => survey.units[name]!;
const link = (survey: Survey, name: string) => survey.links.find((l) => l.name === name)!;
const dropRoutes = (survey: Survey, which: (r: Survey["routes"][number]) => boolean) => {
  survey.routes = survey.routes.filter((r) => !which(r));
};
const stop = (name: string, how = { active: "inactive", sub: "dead" }) => (s: Survey) =>
  Object.assign(unit(s, name), how);
const looping = { active: "activating", sub: "auto-restart", restarts: 80, result: "exit-code" };
const edit = (path: string, add = "\n# edited\n") => (s: Survey) => {
  s.files[path]!.content += add;
};
/** As an editor leaves it: other words, and nothing else. */
const changed = (s: Survey, path: string, how: (text: string) => string) => {
  const file = s.files[path]!;
  const text = how(file.content!);
  if (text === file.content) throw new Error(`Nothing of ${path} was changed: ${text}`);
  file.content = text;
};
const remove = (path: string) => (s: Survey) => {
  s.files[path] = null;
};
/** The kernel takes a device's routes when it goes down. */
const down = (name: string) => (s: Survey) => {
  link(s, name).up = false;
  dropRoutes(s, (r) => r.device === name && r.type === "unicast");
};
const gone = (name: string) => (s: Survey) => {
  down(name)(s);
  s.links = s.links.filter((l) => l.name !== name);
};
const TUNNEL = "crxn-6fa49781";
const SECOND_TUNNEL = `crxn-${SECOND.slice(0, 8)}`;
const NAT64 = "nat64-ygg";

/** As the far nodes answer, in order. */
export const reachOf = ({ blueprint }: CheckInput, received: number[], foreign = false): Reach[] =>
  blueprint.nodes.map(({ key, address, networks }, i) => ({
    key,
    address,
    networks,
    received: received[i] ?? 0,
    foreign,
    command: ["/usr/bin/ping", address],
    output: "",
  }));

export const FAULTS: Fault[] = [
  { name: "no tayga", check: "packages", make: (s) => void delete s.packages!["tayga"] },
  {
    name: "no tayga, and its unit fails",
    check: "packages",
    make: (s) => {
      delete s.packages!["tayga"];
      stop("tayga@ygg.service", looping)(s);
    },
  },
  {
    name: "another system",
    check: "packages",
    make: (s) => void (s.os = { id: "fedora", version: "42", name: "Fedora Linux 42" }),
  },
  { name: "no TUN driver", check: "tun-device", make: (s) => void (s.tun = false) },
  {
    name: "yggdrasil stopped",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s) => {
      stop(Unit.yggdrasil)(s);
      delete s.overlay;
    },
  },
  { name: "yggdrasil frozen", setup: "yggdrasil", check: "overlay-service", make: (s) => void delete s.overlay },
  {
    name: "yggdrasil not enabled",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s) => void (unit(s, Unit.yggdrasil).enabled = "disabled"),
  },
  {
    name: "crxn-overlay failed",
    check: "overlay-service",
    make: stop(Unit.overlay, { active: "failed", sub: "failed" }),
  },
  { name: "the link's follower stopped", check: "overlay-service", make: stop(Unit.link) },
  {
    name: "the link's follower not enabled",
    check: "overlay-service",
    make: (s) => void (unit(s, Unit.link).enabled = "disabled"),
  },
  {
    name: "the link made anew, with nobody to follow it",
    check: "overlay-service",
    make: (s) => {
      stop(Unit.link)(s);
      link(s, "wg0").addresses = [];
      dropRoutes(s, (r) => r.device === "wg0");
    },
  },
  { name: "the link's script edited", check: "drift", make: edit(Path.linkScript) },
  {
    name: "the follower's unit file deleted",
    check: "overlay-service",
    make: (s) => {
      remove(unitPath(Unit.link))(s);
      Object.assign(unit(s, Unit.link), { load: "not-found", active: "inactive", enabled: "" });
    },
  },
  {
    name: "the yggdrasil config deleted",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: remove(Path.yggdrasilConfig),
  },
  {
    name: "a private key that everybody may read",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s) => void (s.files[Path.yggdrasilConfig]!.mode = 0o644),
  },
  {
    name: "a daemon with another key",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s) => void (s.overlay!.publicKey = "a".repeat(64)),
  },
  {
    name: "all peers down",
    setup: "yggdrasil",
    check: "overlay-peers",
    make: (s) =>
      void (s.overlay!.peers[0] = { uri: "tls://192.0.2.9:443", up: false, inbound: false, error: "refused" }),
  },
  {
    name: "the tunnel deleted",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => {
      gone(TUNNEL)(s);
      for (const key of Object.keys(s.sysctls)) if (key.includes(TUNNEL)) delete s.sysctls[key];
    },
  },
  {
    name: "the daemon's device and the tunnel over it deleted",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => {
      gone(TUNNEL)(s);
      gone("ygg")(s);
    },
  },
  {
    name: "another key in the daemon's config",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s, input) => {
      const key = "c".repeat(64);
      const text = `{ PrivateKey: "${"0".repeat(64)}${key}" }`;
      input.blueprint.facts.identity = { publicKey: key, address: addressFromKey(key), from: "config", text };
      s.files[Path.yggdrasilConfig]!.content = text;
      // As the doctor notes it when the key gives another address than the tunnel was made with.
      input.troubles.push({ check: "overlay-identity", verdict: "fail", found: "another key" });
    },
  },
  { name: "the tunnel down", setup: "yggdrasil", check: "tunnel-routing", make: down(TUNNEL) },
  {
    name: "a tunnel to somebody else",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (link(s, TUNNEL).data["remote6"] = "200::9"),
  },
  {
    name: "proxy_arp off",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (s.sysctls[`net/ipv4/conf/${TUNNEL}/proxy_arp`] = "0"),
  },
  {
    name: "tunnel rules flushed",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => void (filterOf(s.rules.inet6)["CRXN-INPUT"]!.rules = []),
  },
  {
    name: "an INPUT rule that drops the tunnel",
    setup: "yggdrasil",
    check: "tunnel-routing",
    make: (s) => filterOf(s.rules.inet6)["INPUT"]!.rules.push(["-i", "ygg", "-j", "DROP"]) as unknown as void,
  },
  {
    name: "the second of two tunnels deleted",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => {
      gone(SECOND_TUNNEL)(s);
      for (const key of Object.keys(s.sysctls)) if (key.includes(SECOND_TUNNEL)) delete s.sysctls[key];
    },
  },
  {
    name: "the second of two tunnels on another port",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (link(s, SECOND_TUNNEL).data["port"] = 4789),
  },
  {
    name: "ports no longer translated",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet6!["nat"]!["CRXN-OUTPUT"]!.rules = []),
  },
  {
    name: "nodes no longer held to their networks",
    setup: "two nodes",
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet!["raw"]!["CRXN-PREROUTING"]!.rules = []),
  },
  {
    name: "the guard of this side's networks gone",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (s) => void (s.rules.inet!["mangle"]!["CRXN-POSTROUTING"]!.rules = []),
  },
  {
    name: "the second tunnel's address deleted",
    setup: "two nodes",
    check: "overlay-address",
    make: (s) => void (link(s, SECOND_TUNNEL).addresses = []),
  },
  {
    name: "the second node's route deleted",
    setup: "two nodes",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.to === "10.7.0.0/16" && r.type === "unicast"),
  },
  {
    name: "a clamp, NAT rule or policy for one of two tunnels only: SNAT of the second flushed",
    setup: "two nodes",
    check: "nat-rule",
    make: (s) => void s.rules.inet!["nat"]!["CRXN-POSTROUTING"]!.rules.splice(1),
  },
  {
    name: "the daemon has refused a network",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (_, input) =>
      void (input.daemonLog = ['Error adding routed subnet "10.0.0.0/33": netip.ParsePrefix("10.0.0.0/33")']),
  },
  {
    name: "tunnel routing switched off by hand",
    setup: "two nodes",
    options: { ckr: "2" },
    check: "tunnel-routing",
    make: (s) => changed(s, Path.yggdrasilConfig, (text) => text.replace(/"?Enable"?: true/, "Enable: false")),
  },
  {
    name: "another network in TunnelRouting",
    setup: "yggdrasil",
    options: { ckr: "0.3" },
    check: "tunnel-routing",
    make: (s) => changed(s, Path.yggdrasilConfig, (text) => text.replace("10.0.0.0/8", "10.0.0.0/9")),
  },
  {
    name: "a 0.3 that runs without its device",
    setup: "yggdrasil",
    options: { ckr: "0.3" },
    check: "tunnel-routing",
    make: (_, input) =>
      void (input.daemonLog = ["An error occurred starting TUN/TAP: file exists", "Connected TCP: x"]),
  },
  {
    name: "a far node that does not answer",
    setup: "two nodes",
    check: "overlay-peers",
    make: (_, input) => void (input.reach = reachOf(input, [3, 0])),
  },
  { name: "the existing overlay link deleted", check: "tunnel-routing", make: gone("wg0") },
  { name: "the existing overlay link down", check: "tunnel-routing", make: down("wg0") },
  {
    name: "the existing overlay link without carrier",
    check: "tunnel-routing",
    make: (s) => void (link(s, "wg0").carrier = false),
  },
  {
    name: "the overlay address deleted",
    check: "overlay-address",
    make: (s) => {
      link(s, "wg0").addresses = [];
      dropRoutes(s, (r) => r.device === "wg0");
    },
  },
  {
    name: "the overlay route deleted",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.to === "10.0.0.0/8" && r.type === "unicast"),
  },
  {
    name: "the unreachable route deleted",
    check: "overlay-route",
    make: (s) => dropRoutes(s, (r) => r.type === "unreachable"),
  },
  {
    name: "the overlay route taken by another device",
    check: "overlay-route",
    make: (s) =>
      void Object.assign(s.routes.find((r) => r.to === "10.0.0.0/8" && r.type === "unicast")!, {
        device: "eth0",
        protocol: "static",
      }),
  },
  { name: "tayga stopped", check: "translator-service", make: stop("tayga@ygg.service") },
  { name: "tayga crash-looping", check: "translator-service", make: stop("tayga@ygg.service", looping) },
  {
    name: "tayga not enabled",
    check: "translator-service",
    make: (s) => void (unit(s, "tayga@ygg.service").enabled = "disabled"),
  },
  {
    name: "the firewall unit stopped",
    check: "translator-service",
    make: (s) => {
      stop(Unit.firewall)(s);
      stop("tayga@ygg.service")(s);
    },
  },
  { name: "tayga's config edited", check: "translator-config", make: edit("/etc/tayga/ygg.conf") },
  {
    name: "tayga's config broken, tayga dead",
    check: "translator-config",
    make: (s) => {
      edit("/etc/tayga/ygg.conf", "\nfoo bar\n")(s);
      stop("tayga@ygg.service", looping)(s);
    },
  },
  { name: "tayga's config deleted", check: "translator-config", make: remove("/etc/tayga/ygg.conf") },
  {
    name: "tayga with an older config",
    check: "translator-config",
    make: (s) => void (s.files["/etc/tayga/ygg.conf"]!.modified = 3000),
  },
  { name: "the translator's device down", check: "translator-device", make: down(NAT64) },
  { name: "the translator's device deleted", check: "translator-device", make: gone(NAT64) },
  {
    name: "the MTU of the translator's device lowered",
    check: "translator-device",
    make: (s) => void (link(s, NAT64).mtu = 1280),
  },
  { name: "the pool used up", check: "pool", make: (s) => void (s.poolUsed = 65535) },
  {
    name: "the pool's route deleted",
    check: "pool-route",
    make: (s) => dropRoutes(s, (r) => r.to === "100.64.0.0/16"),
  },
  {
    name: "a narrower route inside the pool",
    check: "pool-route",
    make: (s) =>
      void s.routes.push({
        family: "inet",
        to: "100.64.3.0/24",
        type: "unicast",
        device: "eth0",
        table: "main",
        protocol: "static",
        metric: 0,
      }),
  },
  {
    name: "the slice's route deleted",
    check: "prefix-route",
    make: (s) => dropRoutes(s, (r) => r.family === "inet6" && r.device === NAT64),
  },
  {
    name: "a narrower route inside the slice",
    check: "prefix-route",
    make: (s) =>
      void s.routes.push({
        family: "inet6",
        to: "2001:db8:300:4::a01:0/112",
        type: "unicast",
        device: "eth0",
        table: "main",
        protocol: "static",
        metric: 1024,
      }),
  },
  {
    name: "the blackhole route deleted",
    check: "blackhole-route",
    make: (s) => dropRoutes(s, (r) => r.type === "blackhole"),
  },
  {
    name: "IPv4 forwarding off",
    check: "forwarding-sysctl",
    make: (s) => void (s.sysctls["net/ipv4/ip_forward"] = "0"),
  },
  {
    name: "IPv6 forwarding off",
    check: "forwarding-sysctl",
    make: (s) => void (s.sysctls["net/ipv6/conf/all/forwarding"] = "0"),
  },
  {
    name: "IPv4 forwarding off on the overlay link alone",
    check: "forwarding-sysctl",
    make: (s) => void (s.sysctls["net/ipv4/conf/wg0/forwarding"] = "0"),
  },
  { name: "the sysctl file deleted", check: "forwarding-sysctl", make: remove(Path.sysctl) },
  {
    name: "a line of the sysctl file changed",
    check: "forwarding-sysctl",
    make: (s) => {
      const file = s.files[Path.sysctl]!;
      file.content = file.content!.replace("ip_forward = 1", "ip_forward = 0");
    },
  },
  {
    name: "accept_ra back to 1",
    options: { ra: true },
    check: "accept-ra",
    make: (s) => void (s.sysctls["net/ipv6/conf/eth0/accept_ra"] = "1"),
  },
  {
    name: "accept_ra off",
    options: { ra: true },
    check: "accept-ra",
    make: (s) => void (s.sysctls["net/ipv6/conf/eth0/accept_ra"] = "0"),
  },
  {
    name: "FORWARD policy DROP, IPv4",
    check: "forward-policy",
    make: (s) => void (filterOf(s.rules.inet)["FORWARD"]!.policy = "DROP"),
  },
  {
    name: "FORWARD policy DROP, IPv6",
    check: "forward-policy",
    make: (s) => void (filterOf(s.rules.inet6)["FORWARD"]!.policy = "DROP"),
  },
  {
    name: "a DROP before the jump",
    check: "forward-policy",
    make: (s) => void filterOf(s.rules.inet)["FORWARD"]!.rules.unshift(["-j", "DROP"]),
  },
  {
    name: "a REJECT behind the jump",
    check: "forward-policy",
    make: (s) =>
      void filterOf(s.rules.inet6)["FORWARD"]!.rules.push(["-j", "REJECT", "--reject-with", "icmp6-adm-prohibited"]),
  },
  {
    name: "a DROP of the translator's device in a chain of somebody else",
    check: "forward-policy",
    make: (s) => {
      filterOf(s.rules.inet)["FORWARD"]!.rules.unshift(["-j", "other"]);
      filterOf(s.rules.inet)["other"] = { name: "other", rules: [["-i", "nat64-+", "-j", "DROP"]] };
    },
  },
  {
    name: "the jump deleted",
    check: "forward-policy",
    make: (s) => void filterOf(s.rules.inet)["FORWARD"]!.rules.splice(0),
  },
  {
    name: "the FORWARD chain flushed",
    check: "forward-policy",
    make: (s) => void (filterOf(s.rules.inet6)["CRXN-FORWARD"]!.rules = []),
  },
  { name: "the nat table flushed", check: "nat-rule", make: (s) => void delete s.rules.inet!["nat"] },
  {
    name: "an ACCEPT before the NAT rule",
    check: "nat-rule",
    make: (s) => void s.rules.inet!["nat"]!["POSTROUTING"]!.rules.unshift(["-o", "wg0", "-j", "ACCEPT"]),
  },
  {
    name: "the clamp flushed",
    check: "mss-clamp",
    make: (s) => void (s.rules.inet!["mangle"]!["CRXN-FORWARD"]!.rules = []),
  },
  { name: "the overlay link's MTU lowered", check: "mss-clamp", make: (s) => void (link(s, "wg0").mtu = 1300) },
  {
    name: "Debian's sample tayga running",
    check: "conflicts",
    make: (s) => {
      s.units[Unit.sampleTranslator] = { ...unit(s, "tayga@ygg.service"), unit: Unit.sampleTranslator };
    },
  },
  {
    name: "a second NAT64",
    check: "conflicts",
    make: (s) => {
      s.links.push(linkSeen("nat64", { kind: "tun" }));
      s.routes.push({
        family: "inet6",
        to: "2001:db8:300:4::/96",
        type: "unicast",
        device: "nat64",
        table: "main",
        protocol: "static",
        metric: 512,
      });
    },
  },
  { name: "a unit file edited", check: "drift", make: edit(unitPath("tayga@ygg.service")) },
  {
    name: "a unit file deleted, while the unit still runs",
    check: "drift",
    make: (s) => {
      remove(unitPath("tayga@ygg.service"))(s);
      Object.assign(unit(s, "tayga@ygg.service"), { load: "not-found", enabled: "" });
    },
  },
  {
    name: "a unit file deleted, and the unit gone",
    check: "translator-service",
    make: (s) => {
      remove(unitPath("tayga@ygg.service"))(s);
      Object.assign(unit(s, "tayga@ygg.service"), { load: "not-found", active: "inactive", enabled: "" });
    },
  },
  { name: "the drop-in deleted", setup: "yggdrasil", check: "drift", make: remove(dropInPath(Unit.yggdrasil)) },
  { name: "a rules file edited", check: "drift", make: edit(Path.rules.inet) },
  { name: "a rules file deleted", check: "drift", make: remove(Path.rules.inet6) },
  {
    name: "the guard of the machine itself flushed",
    check: "drift",
    make: (s) => void (filterOf(s.rules.inet)["CRXN-INPUT"]!.rules = []),
  },
  { name: "a comment in the sysctl file", check: "drift", make: edit(Path.sysctl) },
  ...HOST_FAULTS,
];
