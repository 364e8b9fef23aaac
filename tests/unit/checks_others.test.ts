/** What the checks say of others on the machine: network managers, and other translators. */

import { assert, assertEquals } from "@std/assert";
import { healthy } from "./surveys/builder.ts";
import { words } from "./surveys/diagnose.ts";

Deno.test("network-managers: networkd is a warning where it can take routes or addresses, and else nothing", async () => {
  const input = await healthy("interface");
  words(input, "network-managers", "pass", "none runs");
  const networkd = { files: {} as Record<string, string>, keepsRoutes: false, keepsRules: false };
  input.host!.managers = { networkd };
  words(input, "network-managers", "pass");
  networkd.files["eth0"] = "/etc/systemd/network/10-eth0.network";
  words(input, "network-managers", "warn", "blackhole and unreachable routes");
  networkd.keepsRoutes = true;
  words(input, "network-managers", "pass");
  networkd.files["wg0"] = "/etc/systemd/network/20-wg0.network";
  words(input, "network-managers", "warn", "wg0", "20-wg0.network", "crxn's address away");
});

Deno.test("network-managers: router advertisements that networkd has taken over", async () => {
  const input = await healthy("interface", { ra: true });
  input.host!.managers = {
    networkd: { files: { eth0: "/run/systemd/network/eth0.network" }, keepsRoutes: true, keepsRules: true },
  };
  words(input, "network-managers", "pass");
  input.survey.sysctls["net/ipv6/conf/eth0/accept_ra"] = "0";
  words(input, "network-managers", "warn", "IPv6AcceptRA=yes");
});

Deno.test("network-managers: NetworkManager on the translator's device", async () => {
  const input = await healthy("interface");
  input.host!.managers = { networkManager: { "nat64-ygg": "tun", eth0: "Wired", wg0: "wg0" } };
  const { found, fix } = words(input, "network-managers", "warn", 'nat64-ygg by its connection "tun"');
  assert(!found!.includes("wg0"), found);
  assertEquals(fix![0]!.slice(1), ["device", "set", "nat64-ygg", "managed", "no"]);
});

Deno.test("conflicts: Jool's module is a warning, a rule for another prefix is nothing", async () => {
  const input = await healthy("interface");
  input.host!.translators = ["jool"];
  words(input, "conflicts", "warn", "jool");
  input.host!.translators = [];
  const chain = (rules: string[][]) => ({ mangle: { PREROUTING: { name: "PREROUTING", rules } } });
  const rules = input.survey.rules.inet6!;
  Object.assign(rules, { mangle: { ...rules["mangle"], ...chain([["-d", "64:ff9b::/96", "-j", "JOOL"]]).mangle } });
  words(input, "conflicts", "pass");
});

Deno.test("conflicts: another tayga for other networks is somebody's own business", async () => {
  const input = await healthy("interface");
  const other = { file: "/etc/tayga/x.conf", unit: "tayga@x.service", active: true, enabled: true };
  input.host!.rivals!.push({ ...other, device: "nat64-x", prefix: "64:ff9b::/96", pool: "192.168.9.0/24" });
  words(input, "conflicts", "pass");
});

Deno.test("conflicts: the uplink's own address in the prefix, outside the slices, is nobody's host", async () => {
  const input = await healthy("interface");
  const uplink = input.survey.links.find((l) => l.name === "eth0")!;
  uplink.addresses.push({ address: "2001:db8:300:4::1/64", family: "inet6", scope: "global", dynamic: false });
  words(input, "conflicts", "pass");
});
