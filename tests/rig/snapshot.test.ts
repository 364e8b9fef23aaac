import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, Lab, type Machine, snapshot, until } from "./mod.ts";

Deno.test("snapshot: equal when nothing happened, and every kind of change shows", async (t) => {
  await using lab = await Lab.create();
  const net = await lab.internet();
  const gw = await lab.machine("gw", { debian: "trixie", image: "ready", uplink: net, ra: true });
  const before = await snapshot(gw);
  await t.step("two in a row", async () => assertEquals(diffSnapshots(before, await snapshot(gw)), ""));
  const changes: [string, string, string, RegExp][] = [
    ["link", "ip link add d0 type veth peer name d1", "ip link del d0", /^links:\n {2}\+ .*"ifname":"d0"/],
    [
      "address",
      "ip addr add 10.9.9.9/32 dev lo",
      "ip addr del 10.9.9.9/32 dev lo",
      /^addresses:\n {2}\+ .*10\.9\.9\.9/,
    ],
    [
      "route",
      "ip route add blackhole 10.9.0.0/16 table 77",
      "ip route flush table 77",
      /^routes4:\n {2}\+ .*"table":"77"/,
    ],
    ["default route", "sysctl -qw net.ipv6.conf.eth0.forwarding=1", "", /routes6:\n {2}- .*"dst":"default"/],
    ["rule", "ip -6 rule add fwmark 9 table 77", "ip -6 rule del fwmark 9", /^rules6:\n {2}\+ .*"fwmark":"0x9"/],
    ["nexthop", "ip nexthop add id 5 dev eth0", "ip nexthop del id 5", /^nexthops:\n {2}\+ .*"id":5/],
    ["neighbour", "ip neigh add proxy 2001:db8::7 dev eth0", "ip neigh del proxy 2001:db8::7 dev eth0", /^neighbours:/],
    ["policy", "iptables -P FORWARD DROP", "iptables -P FORWARD ACCEPT", /iptables-nft:\n(.*\n)*.*:FORWARD DROP/],
    [
      "legacy rule",
      "ip6tables-legacy -A FORWARD -j DROP",
      "ip6tables-legacy -F",
      /^ip6tables-legacy:\n(.*\n)*.*-A FORWARD -j DROP/,
    ],
    ["nft table", "nft add table inet mine", "nft delete table inet mine", /^nftables:\n {2}\+ table .*"mine"/],
    ["sysctl", "sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv4.ip_forward=0", /\+ net\.ipv4\.ip_forward = 1/],
    ["unit", "systemctl -q enable yggdrasil", "systemctl -q disable yggdrasil", /\+ yggdrasil\.service enabled/],
    ["service", "systemd-run -q --unit mine sleep 99", "systemctl stop mine", /\+ mine\.service loaded active running/],
    [
      "failed service",
      "systemd-run -qu bad false; sleep .2",
      "systemctl reset-failed bad",
      /\+ bad\.service .* failed/,
    ],
    ["mode", "chmod 600 /etc/fstab", "chmod 644 /etc/fstab", /^files:\n {2}- \/etc\/fstab file 644/],
    [
      "link to a file",
      "ln -s /dev/null /etc/sysctl.d/x",
      "rm /etc/sysctl.d/x",
      /\+ \/etc\/sysctl\.d\/x link -> \/dev\/null/,
    ],
    ["state", "mkdir -p /var/lib/tayga/x", "rm -r /var/lib/tayga", /\+ \/var\/lib\/tayga\/x directory 755 0:0/],
  ];
  for (const [name, make, undo, expected] of changes) {
    await t.step(name, async () => {
      await gw.must(make);
      assertMatch(diffSnapshots(before, await snapshot(gw)), expected);
      await (undo === "" ? restoreAdvertised(gw) : gw.must(undo));
      assertEquals(diffSnapshots(before, await snapshot(gw)), "", `${name}: undone`);
    });
  }
});

/** Back to a machine that listens to router advertisements, with a default route from the next one. */
async function restoreAdvertised(gw: Machine): Promise<void> {
  await gw.must(["sysctl", "-qw", "net.ipv6.conf.eth0.forwarding=0"]);
  await until(
    "the next advertisement",
    15,
    async () => (await gw.must(["ip", "-6", "route", "show", "default"])) !== "" || undefined,
  );
}

for (const debian of ["bookworm", "trixie"] as const) {
  Deno.test(`diffSnapshots: on ${debian} leaves aside what packages brought, nothing else`, async () => {
    await using lab = await Lab.create();
    const gw = await lab.machine("gw", { debian, uplink: await lab.internet() });
    const before = await snapshot(gw);
    const install = [
      "apt-get",
      "install",
      "-yq",
      "--no-install-recommends",
      "tayga",
      "yggdrasil",
      "iptables",
      "nftables",
    ];
    await gw.must(["apt-get", "update", "-q"]);
    await gw.must(install, { env: { DEBIAN_FRONTEND: "noninteractive" } });
    if (debian === "trixie") {
      const running = diffSnapshots(before, await snapshot(gw), { ignoreInstalledPackages: true });
      assertStringIncludes(running, "+ tayga.service loaded active running", "a running service is no mere package");
      await gw.must(["systemctl", "stop", "tayga"]);
      await gw.must("ip link del nat64 || true");
    }
    const after = await snapshot(gw);
    assertEquals(diffSnapshots(before, after, { ignoreInstalledPackages: true }), "");
    assertStringIncludes(diffSnapshots(before, after), "+ /etc/init.d/tayga file 755");
    await gw.must("echo x > /etc/tayga/ygg.conf || { mkdir /etc/tayga; echo x > /etc/tayga/ygg.conf; }");
    await gw.must("echo net.ipv4.ip_forward=1 > /etc/sysctl.d/x.conf; useradd -u 2000 mine");
    const rest = diffSnapshots(before, await snapshot(gw), { ignoreInstalledPackages: true });
    for (const path of ["/etc/tayga/ygg.conf", "/etc/sysctl.d/x.conf", "mine:2000"]) {
      assertStringIncludes(rest, `+ ${path}`);
    }
  });
}
