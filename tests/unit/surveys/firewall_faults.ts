/** Faults of forwarding, router advertisements and the firewall; another NAT64; and files that are not as they were written. */

import { dropInPath, Path, Unit, unitPath } from "../../../gateway/names.ts";
import { filterOf } from "./builder.ts";
import { edit, type Fault, link, remove, unit } from "./fault.ts";
import { linkSeen } from "./put.ts";

export const FIREWALL_FAULTS: Fault[] = [
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
];
