import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Lab, type Machine, until } from "../rig/mod.ts";
import { selfOf } from "./pair.ts";
import { chaptersOf, CONFIG, crxn, sceneOf, someDebians } from "./story.ts";

// What an operator sees: logs, status on a screen of 80x24, and a report for others, with secrets planted wherever one may be.

const INSTALL =
  "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install tmux wireguard-tools wireguard-go >/dev/null";

/** Each is planted in one place. */
const SECRET = {
  peer: "Xpeerpassword7",
  comment: "Xcommentcode8",
  log: "Xlogpassword9",
  yaml: "Xyamlnote3",
  note: "Xnftnote4",
  prefix: "Xlogprefix5",
};
const PEER = "203.0.113.77";

const YGGDRASIL_GATEWAY = `# The other operator's door code is ${SECRET.yaml}
address: 10.5.0.1/32   # ${SECRET.yaml}
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  peers: ["tls://${PEER}:443?password=${SECRET.peer}"]
  routes:
    - to: 10.0.0.0/8
      via: bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb
`;

/** Plants secrets in what a report is made from. @returns all of them, with what was generated */
async function plant(gw: Machine): Promise<Record<string, string>> {
  const [own, shared] = (await gw.must("umask 077; wg genkey | tee /run/own; wg genpsk | tee /run/psk")).trim().split(
    "\n",
  );
  assert(own && shared);
  // WireGuard's keys where a report reads: nobody asks wg(8). The comment is so long that Status breaks it.
  await gw.must(
    `iptables -I FORWARD -i nat64-ygg -m comment --comment "the code of the door behind the house is ${SECRET.comment}, and that of the other one ${SECRET.comment}" -j DROP
    iptables -A INPUT -s 198.51.100.8 -j LOG --log-prefix "${SECRET.prefix} "
    nft add table inet mine; nft add chain inet mine c '{ type filter hook forward priority 5; }'
    nft add rule inet mine c iifname nat64-ygg drop comment '"pin ${SECRET.note}"'
    mkdir -p /etc/systemd/system/tayga@ygg.service.d
    iptables -A INPUT -s 198.51.100.9 -m comment --comment "wg0 ${shared}" -j DROP
    printf '[Service]\\nExecStartPost=/bin/echo login with password=${SECRET.log}\\nExecStartPost=/bin/echo wg0 has ${own}\\n' >/etc/systemd/system/tayga@ygg.service.d/zz.conf
    systemctl daemon-reload; systemctl restart tayga@ygg`,
  );
  await gw.must(
    `umask 077; mkdir -p /etc/wireguard; far=$(wg genkey | wg pubkey)
    printf '[Interface]\\nPrivateKey = %s\\nAddress = 10.99.0.1/32\\n[Peer]\\nPublicKey = %s\\nPresharedKey = %s\\nAllowedIPs = 10.98.0.0/16\\n' \\
      "$(cat /run/own)" "$far" "$(cat /run/psk)" >/etc/wireguard/wg9.conf
    wg-quick up wg9 >/dev/null 2>&1`,
  );
  const key = /PrivateKey"?: *"?([0-9a-f]{128})/.exec(await gw.read("/etc/yggdrasil/yggdrasil.conf"))?.[1];
  assert(key);
  return { ...SECRET, yggdrasil: key.slice(0, 64), wireguard: own, preshared: shared };
}

/** The control: each secret is in one of the sources. */
async function assertPlanted(gw: Machine, secrets: Record<string, string>): Promise<void> {
  await selfOf(gw);
  const sources = await gw.must(
    `cat ${CONFIG} /etc/yggdrasil/yggdrasil.conf /var/lib/crxn/journal.jsonl; iptables-save; nft list ruleset; journalctl -b -u 'tayga@*' -u yggdrasil; yggdrasilctl -json getPeers`,
  );
  for (const [name, secret] of Object.entries(secrets)) assert(sources.includes(secret), `${name} was not planted`);
}

const TMUX = "env -u NO_COLOR LANG=C.UTF-8 TERM=xterm tmux -f /dev/null";
const pane = (gw: Machine) => gw.must(`${TMUX} capture-pane -p`);

for (const debian of someDebians("seeing")) {
  Deno.test(`crxn logs, report and status --watch: what an operator sees, ${debian}`, async (t) => {
    const chapter = chaptersOf(t);
    await using lab = await Lab.create();
    const { gw } = await sceneOf(lab, { debian, image: "ready" });
    await gw.must(INSTALL, { timeoutSeconds: 180 });
    const logs = async (args: string) => JSON.parse((await crxn(gw, `logs --json ${args}`)).stdout);
    const bare = await gw.read(CONFIG);

    await chapter(
      "where there is neither a config nor a gateway: 3, and a report of the machine all the same",
      async () => {
        await gw.must(["rm", CONFIG]);
        assertStringIncludes((await crxn(gw, "logs", 3)).stdout, "no gateway");
        const { stdout } = await crxn(gw, "report");
        assertMatch(stdout, /There is no config at \/etc\/crxn\/crxn\.yaml/);
        assertStringIncludes(stdout, "eth0");
        const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "crxn", "report"];
        assertStringIncludes(await gw.must(nobody), "It was not made by root");
        await gw.write(CONFIG, "address: nonsense\n");
        await crxn(gw, "logs", 78);
        assertStringIncludes((await crxn(gw, "report")).stdout, "crxn.yaml:1:10");
        await gw.write(CONFIG, bare);
      },
    );
    await chapter("where the locale is not UTF-8, what crxn says is ASCII", async () => {
      await gw.write(CONFIG, "address: nonsense\n");
      const inLocale = async (locale: string) => (await gw.run(["env", `LC_ALL=${locale}`, "crxn", "status"])).stderr;
      assertStringIncludes(await inLocale("C.UTF-8"), " \u2014 ");
      // deno-lint-ignore no-control-regex
      assertMatch(await inLocale("C"), /^[\x00-\x7f]*crxn\.yaml:1:10[\x00-\x7f]* - [\x00-\x7f]*$/);
      await gw.write(CONFIG, bare);
    });
    await chapter("logs: of all units, in the order of time", async () => {
      await crxn(gw, "up --yes");
      const { schema, units, lines } = await logs("--lines 200");
      assertEquals(schema, "crxn.logs/1");
      assert(units.includes("tayga@ygg.service") && units.includes("crxn-firewall.service"), units.join());
      const times = lines.map((l: { at: string }) => l.at);
      assertEquals(times, times.toSorted());
      const said = (unit: string) => lines.filter((l: { unit: string }) => l.unit === unit).length;
      assert(said("tayga@ygg.service") > 3 && said("crxn-link.service") > 0 && said("crxn-overlay.service") > 0);
      assertEquals((await logs("--lines 2")).lines.length, 2);
      assertEquals((await logs("--unit tayga")).units, ["tayga@ygg.service"]);
      assertStringIncludes((await crxn(gw, "logs --unit nobody", 64)).stderr, "tayga@ygg.service");
      assertStringIncludes((await crxn(gw, "logs --since nonsense", 64)).stderr, "nonsense");
      assertEquals((await logs("--since tomorrow")).lines, []);
      assertMatch((await crxn(gw, "logs --since 1h --lines 500")).stdout, /^\S+ \S+ tayga@ygg +info +starting TAYGA/m);
    });
    await chapter("logs: a complaint has its level and its meaning; nothing else has that level", async () => {
      assertEquals((await logs("--level error --unit tayga")).lines, []);
      await gw.must(
        "systemctl stop tayga@ygg; tayga --config /etc/tayga/ygg.conf --nodetach >/dev/null 2>&1 & pid=$!; sleep 0.7; systemctl start tayga@ygg || true; sleep 1; kill $pid || true; sleep 1",
      );
      const { lines } = await logs("--level error --unit tayga");
      assertStringIncludes(JSON.stringify(lines), "another process has tayga's device open");
      assertMatch(
        (await crxn(gw, "logs --level error")).stdout,
        /error +Unable to attach tun device.*\[another process/,
      );
      await until(
        "tayga to be back",
        10,
        async () => (await gw.run(["systemctl", "is-active", "tayga@ygg"])).code === 0 || undefined,
      );
    });
    await chapter("logs --follow: goes on with what comes, a document a line, until Ctrl-C", async () => {
      await gw.must(
        "crxn logs --follow --json --lines 1 >/run/follow 2>&1 & pid=$!; sleep 1.5; systemctl restart tayga@ygg; sleep 1.5; kill -INT $pid; code=0; wait $pid || code=$?; echo ended $code >>/run/follow",
      );
      const said = (await gw.read("/run/follow")).trim().split("\n");
      assertEquals(said.at(-1), "ended 0");
      const texts = said.slice(0, -1).map((l) => JSON.parse(l)).map((
        { schema, lines },
      ) => (assertEquals(schema, "crxn.logs/1"), lines[0].text));
      assert(texts.length > 3 && texts.some((text) => /starting TAYGA/.test(text)), texts.join("\n"));
    });
    await chapter("logs: without root it says so; without a config it goes by crxn's journal", async () => {
      const nobody = await gw.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "crxn", "logs"]);
      assertEquals(nobody.code, 77, nobody.stderr);
      assertMatch(nobody.stderr, /group adm/);
      await gw.must(["rm", CONFIG]);
      assert((await logs("--unit tayga")).lines.length > 3);
      await gw.write(CONFIG, bare);
    });
    await chapter(
      "status --watch: on 80x24 in place, cut where the screen is too small, and all is in order afterwards",
      async () => {
        await gw.must(`${TMUX} new-session -d -x 80 -y 24 'bash --norc'; sleep 0.5`);
        await gw.must(
          `${TMUX} send-keys 'PS1="READY$ "; clear; seq 3' Enter; sleep 0.5; ${TMUX} send-keys 'crxn status --watch; echo code=$?' Enter`,
        );
        const page = () =>
          until("a page", 10, async () => /NAT64 gateway: up/.test(await pane(gw)) ? await pane(gw) : undefined);
        const first = (await page()).split("\n");
        assertMatch(first[0]!, /^NAT64 gateway: up/, first.join("\n"));
        await new Promise((r) => setTimeout(r, 2500));
        assertMatch((await pane(gw)).split("\n")[0]!, /^NAT64 gateway: up/, "it scrolls");
        await gw.must(`${TMUX} resize-window -x 60 -y 8; sleep 0.5`);
        const small = (await pane(gw)).trimEnd().split("\n");
        assertMatch(small[0]!, /^NAT64 gateway: up/, small.join("\n"));
        assertMatch(small[7]!, /^\.\.\. \d+ more lines/);
        await gw.must(`${TMUX} resize-window -x 80 -y 24; sleep 0.5`);
        assert(!/more lines/.test(await pane(gw)));
        await gw.must("systemctl stop tayga@ygg; sleep 2.5");
        assertMatch((await pane(gw)).split("\n")[0]!, /degraded/);
        await gw.must(`${TMUX} send-keys C-c; sleep 1`);
        const after = await pane(gw);
        assertMatch(after, /^1\n2\n3\n/m, after);
        assertMatch(after, /code=1\nREADY\$/, after);
        assertEquals(
          (await gw.must(`${TMUX} display-message -p '#{cursor_flag} #{alternate_on} #{wrap_flag}'`)).trim(),
          "1 0 1",
        );
        await gw.must(`systemctl start tayga@ygg; ${TMUX} kill-server`);
      },
    );
    await chapter("a report: all that helps, and none of the secrets", async () => {
      await crxn(gw, "down --yes");
      await gw.write(CONFIG, YGGDRASIL_GATEWAY);
      await crxn(gw, "up --yes");
      const secrets = await plant(gw);
      await assertPlanted(gw, secrets);
      // Its probe waits for answers that nobody gives here: no more of them than needed.
      const texts = [(await crxn(gw, "report --json")).stdout];
      await crxn(gw, "report --output /root/report.md");
      assertEquals(await gw.must(["stat", "-c", "%a", "/root/report.md"]), "600\n");
      assertStringIncludes((await crxn(gw, "report --output /root/report.md", 64)).stderr, "exists already");
      texts.unshift(await gw.read("/root/report.md"));
      const hidden = (await crxn(gw, "report --hide-addresses")).stdout;
      for (const text of [...texts, hidden]) {
        for (const [name, secret] of Object.entries(secrets)) {
          assert(!text.includes(secret), `the secret of ${name}:\n${text}`);
        }
      }
      for (
        const what of [
          "# crxn report",
          "overlay-peers",
          "nat64-ygg",
          "CRXN-FORWARD",
          "fail: forward-policy",
          // In the finding, and in Status, where it is one of several lines.
          '--comment "[comment]" -j DROP',
          "starting TAYGA",
          "10.0.0.0/8",
          "2a04:5b80:300:4::",
          PEER,
          "wg9",
          "route 100.64.0.0/16",
          "bdbacfd8",
        ]
      ) {
        assertStringIncludes(texts[0]!, what);
      }
      assertEquals(JSON.parse(texts[1]!).schema, "crxn.report/1");
      for (const own of ["2a04:5b80", "bdbacfd8"]) assert(!hidden.includes(own), own);
      assertStringIncludes(hidden, "2001:db8:");
    });
  });
}
