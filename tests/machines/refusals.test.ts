import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diffSnapshots, installProduct, Lab, type Machine, snapshot } from "../rig/mod.ts";
import { BROKEN_CONFIGS } from "../unit/broken_configs.ts";
import { checked, CONFIG, crxn, INTERFACE_GATEWAY, sceneOf, someDebians } from "./story.ts";

/** Runs `body`; afterwards the machine is as it was, and there is no journal. */
async function untouched(machine: Machine, body: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(machine);
  await body();
  assertEquals(diffSnapshots(before, await snapshot(machine)), "");
  await machine.must("test ! -e /var/lib/crxn");
}

/** Runs crxn by a shell command line and expects that exit code, a phrase of the message, and silence on stdout. */
async function refused(machine: Machine, command: string, exit: number, says: RegExp): Promise<void> {
  const { stdout, stderr } = checked(machine, command, await machine.sh(command), exit);
  assertMatch(stderr, says);
  assertEquals(stdout, "");
}

/** Another os-release for the length of `body`; systemd notices mounts when it comes to it, and they are part of a snapshot. */
async function as(machine: Machine, release: string, body: () => Promise<unknown>): Promise<void> {
  const noticed = (state: string) =>
    machine.must(
      `until systemctl show -p ActiveState 'usr-lib-os\\x2drelease.mount' | grep -qx ActiveState=${state}; do sleep 0.1; done`,
    );
  await machine.write("/run/os-release", release);
  await machine.must("mount --bind /run/os-release /usr/lib/os-release");
  await noticed("active");
  await body();
  await machine.must("umount /usr/lib/os-release");
  await noticed("inactive");
}

for (const debian of someDebians("refusals")) {
  Deno.test(`crxn up: refuses on a bare ${debian}, says why, and touches nothing`, async (t) => {
    await using lab = await Lab.create();
    const { gw } = await sceneOf(lab, { debian });
    const step = async (name: string, body: () => Promise<unknown>) =>
      void await t.step(name, () => untouched(gw, body));
    const up = "crxn up --yes";

    await step(`${BROKEN_CONFIGS.length} broken configs: 78, with place and remedy`, () => refuseBroken(gw));
    await step("no config: 78", () => refused(gw, `${up} --config /etc/crxn/other.yaml`, 78, /crxn init --example/));
    await step("pool over a network of this machine: 78", async () => {
      await gw.must("ip addr add 100.64.3.1/24 dev ovl0");
      await refused(gw, up, 78, /crxn\.yaml:\d+:\d+: .*100\.64\.0\.0\/16.*ovl0/s);
      await gw.must("ip addr del 100.64.3.1/24 dev ovl0");
    });
    await step("not root: 77", async () => {
      for (const command of ["up --yes", "up --dry-run", "install --yes", "down --yes"]) {
        await refused(gw, `setpriv --reuid=65534 --regid=65534 --clear-groups crxn ${command}`, 77, /root/);
      }
    });
    await step("no terminal and no --yes: 64", () => refused(gw, "crxn up", 64, /--yes/));
    await step("another crxn is running: 75", async () => {
      for (const command of ["up --yes", "down --yes", "install --yes"]) {
        await refused(gw, `flock /run/crxn.lock crxn ${command}`, 75, /Another crxn/);
      }
    });
    await step(
      "not Debian: 69",
      () =>
        as(gw, 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40"\n', async () => {
          for (const command of [up, "crxn install --yes"]) await refused(gw, command, 69, /Fedora Linux 40/);
        }),
    );
    await step(
      "Debian 11: 69",
      () =>
        as(
          gw,
          'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n',
          () => refused(gw, up, 69, /11 \(bullseye\).*too old/),
        ),
    );
    await step("no overlay link: 69", async () => {
      await gw.write("/run/other.yaml", INTERFACE_GATEWAY.replace("ovl0", "wg7"));
      await refused(gw, `${up} --config /run/other.yaml`, 69, /wg7/);
    });
    await step("a foreign route in the way: 1, named", async () => {
      await gw.must("ip route add 10.0.0.0/8 via 192.0.2.1");
      await refused(gw, up, 1, /10\.0\.0\.0\/8.*192\.0\.2\.1/s);
      await gw.must("ip route del 10.0.0.0/8");
    });
    await step("an unknown option, and an unknown command: 64", async () => {
      await refused(gw, "crxn up --force", 64, /--force/);
      await refused(gw, "crxn upp", 64, /upp/);
    });
  });

  Deno.test(`crxn up: without TUN or without a mirror a ${debian} is refused with 69 and not touched`, async () => {
    await using lab = await Lab.create();
    for (const lacking of [{ tun: false }, { apt: false }] as const) {
      const net = await lab.internet();
      const name = "tun" in lacking ? "notun" : "noapt";
      const gw = await lab.machine(name, { debian, uplink: net, ...lacking });
      await lab.overlayHost(gw, "ovl0", { name: `${name}host` });
      await installProduct(gw);
      await gw.write(CONFIG, INTERFACE_GATEWAY);
      await untouched(gw, async () => {
        for (const command of ["up", "install"]) {
          await refused(gw, `crxn ${command} --yes`, 69, "tun" in lacking ? /\/dev\/net\/tun/ : /mirror/);
        }
      });
    }
  });
}

/** Every broken config, two at a time: exit code, place, a remedy, and nothing that only a programmer can read. */
async function refuseBroken(gw: Machine): Promise<void> {
  const folder = "/run/broken";
  assert(BROKEN_CONFIGS.length >= 20, "twenty are promised");
  for (const [i, { yaml }] of BROKEN_CONFIGS.entries()) await gw.write(`${folder}/${i}.yaml`, yaml);
  const one =
    `crxn up --yes --config ${folder}/$0.yaml >${folder}/$0.out 2>${folder}/$0.err; echo $? >${folder}/$0.code`;
  await gw.must(`seq 0 ${BROKEN_CONFIGS.length - 1} | xargs -n1 -P2 sh -c '${one}'`);
  for (const [i, { name, at, says }] of BROKEN_CONFIGS.entries()) {
    const [code, stdout, stderr] = [
      await gw.read(`${folder}/${i}.code`),
      await gw.read(`${folder}/${i}.out`),
      await gw.read(`${folder}/${i}.err`),
    ];
    checked(gw, `crxn up with the config "${name}"`, { code: Number(code), stdout, stderr }, 78);
    assertStringIncludes(stderr, `${folder}/${i}.yaml:${at}: `, name);
    assertStringIncludes(stderr, says, name);
    assertEquals(stdout, "", name);
  }
  await gw.must(["rm", "-r", folder]);
}

Deno.test("crxn install: Debian 13's own tayga is neither left running nor destroyed, and twice is once", async () => {
  await using lab = await Lab.create();
  const { gw } = await sceneOf(lab, { debian: "trixie" });
  const before = await snapshot(gw);
  assertStringIncludes((await crxn(gw, "install --yes")).stdout, "tayga");
  const after = await snapshot(gw);
  assertEquals(diffSnapshots(before, after, { ignoreInstalledPackages: true }), "", "nothing is started");
  assertEquals((await gw.run(["systemctl", "is-active", "tayga.service"])).stdout, "inactive\n");
  assertEquals((await gw.run(["systemctl", "is-enabled", "tayga.service"])).stdout, "disabled\n");
  assertStringIncludes(await gw.read("/etc/tayga.conf"), "tun-device nat64");
  assertStringIncludes((await crxn(gw, "install --yes")).stdout, "Already there");
  assertEquals(diffSnapshots(after, await snapshot(gw)), "");
  // Not running after the next boot either.
  await gw.reboot();
  assertEquals((await gw.run(["systemctl", "is-active", "tayga.service"])).stdout, "inactive\n");
});
