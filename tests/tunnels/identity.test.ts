import { assert, assertEquals } from "@std/assert";
import { diffSnapshots, installProduct, Lab, snapshot } from "../rig/mod.ts";
import { allSaid, assertNothingToDo, chaptersOf, CONFIG, crxn, someDebians } from "../machines/story.ts";

// A node that its operator has had for years: its key, its comments and its settings outlive crxn.

const YGGDRASIL = "/etc/yggdrasil/yggdrasil.conf";
const FAR = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

const mine = (key: string) =>
  `{
  # This is the node in the cellar. Ask Ada before you touch it.
  PrivateKey: ${key}

  Peers: [
    # the neighbour's
    tls://[2001:db8:9::99]:443
  ]
  /* Who may connect */
  AllowedPublicKeys: []
  Listen: []
  // This name is in the firewall of the cellar, too.
  IfName: cellar
  NodeInfoPrivacy: true
  NodeInfo: { name: "cellar" }
  # From the days of 0.3.
  TunnelRouting: {
    Enable: true
    # the club
    IPv4RemoteSubnets: { "10.9.0.0/16": "${FAR}" }
  }
}
`;
const COMMENTS = [
  "# This is the node in the cellar. Ask Ada before you touch it.",
  "# the neighbour's",
  "/* Who may connect */",
  "// This name is in the firewall of the cellar, too.",
  "# From the days of 0.3.",
  "# the club",
];

const configOf = (port: number, peers: string) =>
  `address: 10.5.0.1/32
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  tunnel: vxlan
  peers: [${peers}]
  listen: ["tls://[::]:${port}"]
  routes: [{to: 10.0.0.0/8, via: ${FAR}}]
`;

for (const debian of someDebians("an identity")) {
  Deno.test(`identity: an existing node keeps its key, its comments and its settings, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const gw = await lab.machine("gw", { debian, image: "ready", uplink: await lab.internet() });
    await installProduct(gw);
    const key: string = JSON.parse(await gw.must("yggdrasil -genconf -json")).PrivateKey;
    const secret = key.slice(0, 64);
    await gw.must(`umask 027; cat > ${YGGDRASIL}; chgrp yggdrasil ${YGGDRASIL}`, { input: mine(key) });
    await gw.write(CONFIG, configOf(4443, '"tls://[2001:db8:9::98]:443"'));
    await gw.reboot();
    const before = await snapshot(gw);
    // Somebody else on the machine who reads whatever he may, all the time.
    await gw.must(
      `touch /run/leak; chown nobody /run/leak
       setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \\
         'while :; do cat /etc/yggdrasil/* /etc/yggdrasil/.[!.]* /var/lib/crxn/* /tmp/* /run/crxn* >>/run/leak 2>/dev/null; done' \\
         >/dev/null 2>&1 </dev/null &
       echo $! > /run/reader.pid`,
    );
    const assertKept = async () => {
      const text = await gw.read(YGGDRASIL);
      assert(text.includes(`PrivateKey: ${key}`), text.replaceAll(secret, "(the secret)"));
      for (const comment of COMMENTS) {
        assert(text.includes(comment), `"${comment}" is lost:\n${text.replaceAll(secret, "(the secret)")}`);
      }
      for (const setting of ["NodeInfoPrivacy: true", "cellar", "10.9.0.0/16"]) assert(text.includes(setting), setting);
      assertEquals(await gw.must(["stat", "-c", "%a %U:%G", YGGDRASIL]), "640 root:yggdrasil\n");
    };
    await chapter("the reader can read what he may", async () => {
      await gw.must("echo canary > /tmp/canary; sleep 1; grep -q canary /run/leak; rm /tmp/canary");
    });
    await chapter("up", async () => {
      await crxn(gw, "up --yes");
      await assertKept();
      // Degraded: its peers are nobody.
      assertEquals(JSON.parse((await crxn(gw, "status --json", 1)).stdout).self.publicKey, key.slice(64));
    });
    await chapter("a changed config, and up", async () => {
      await gw.write(CONFIG, configOf(4444, '"tls://[2001:db8:9::98]:443", "tls://[2001:db8:9::97]:443"'));
      await crxn(gw, "up --yes --json");
      await assertKept();
      await assertNothingToDo(gw);
    });
    await chapter("doctor says what the daemon ignores of it", async () => {
      const { findings } = JSON.parse((await gw.run(["crxn", "doctor", "--json"])).stdout);
      const { verdict, found } = findings.find((f: { id: string }) => f.id === "tunnel-routing");
      assertEquals(verdict, "warn");
      assert(/ignores IPv4RemoteSubnets of TunnelRouting/.test(found), found);
    });
    await chapter("down: the file is as it was, byte for byte", async () => {
      await crxn(gw, "down --yes");
      assertEquals(await gw.read(YGGDRASIL), mine(key));
      assertEquals(diffSnapshots(before, await snapshot(gw)), "");
    });
    await chapter("nobody ever read the key, and crxn never printed it", async () => {
      await gw.must("kill $(cat /run/reader.pid) 2>/dev/null || true");
      assertEquals((await gw.run(["grep", "-c", secret.slice(8, 40), "/run/leak"])).stdout, "0\n");
      assert(!allSaid(gw).includes(secret.slice(8, 40)), "the key was printed");
    });
  });
}
