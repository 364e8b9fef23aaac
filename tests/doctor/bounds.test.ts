import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Lab, type Machine } from "../rig/mod.ts";
import { type Diagnosis, doctor, healthyWithin, statusOf, told } from "../machines/diagnosis.ts";
import { answersWithin, checked, CONFIG, crxn, DEBIANS, HOST, INTERFACE_GATEWAY, sceneOf } from "../machines/story.ts";

// Where doctor cannot do what it does elsewhere, it still has an answer that helps.

const NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/** What a shell command line prints as JSON, with that exit code and without a stack trace. */
async function asked<T>(gw: Machine, command: string, exit: number): Promise<T> {
  return JSON.parse(checked(gw, command, await gw.sh(command), exit).stdout);
}

const verdictOf = ({ findings }: Diagnosis, id: string) => findings.find((f) => f.id === id)?.verdict;
const failing = ({ findings }: Diagnosis) => findings.filter((f) => f.verdict === "fail").map((f) => f.id);

/** Programs that doctor asks, and what it can no longer tell without them. */
const PROGRAMS: [program: string, untold: string[]][] = [
  ["/usr/sbin/xtables-nft-multi", ["forward-policy", "nat-rule", "mss-clamp"]],
  ["/usr/sbin/nft", []],
  ["/usr/bin/ping", []],
  ["/usr/sbin/sysctl", ["forwarding-sysctl"]],
  ["/usr/bin/dpkg-query", []],
  ["/usr/bin/systemctl", ["translator-service"]],
  ["/usr/bin/ip", ["prefix-route", "pool-route"]],
];

for (const debian of DEBIANS) {
  Deno.test(`crxn doctor: an answer that helps, wherever it is asked, ${debian}`, async (t) => {
    await using lab = await Lab.create();
    const { client, gw } = await sceneOf(lab, { debian, image: "ready" });
    const step = async (name: string, body: () => Promise<unknown>) =>
      void await t.step(name, async () => void await body());

    await step("no config: 78, and how to begin", async () => {
      const { stderr } = checked(gw, "doctor", await gw.sh("crxn doctor --config /etc/crxn/other.yaml"), 78);
      assertMatch(stderr, /other\.yaml.*crxn init --example/s);
      const { error } = await asked<{ error: string }>(gw, "crxn doctor --json --config /etc/crxn/other.yaml", 78);
      assertStringIncludes(error, "/etc/crxn/other.yaml");
    });
    await step("an invalid config: 78, with line and column", async () => {
      await gw.write("/run/bad.yaml", INTERFACE_GATEWAY.replace("10.5.0.1/32", "10.5.0.256"));
      const { stderr } = checked(gw, "doctor", await gw.sh("crxn doctor --config /run/bad.yaml"), 78);
      assertMatch(stderr, /bad\.yaml:1:\d+: /);
    });
    await step("without any gateway: one fault, and `crxn up`", async () => {
      const seen = await doctor(gw, 1);
      assertEquals(failing(seen).length, 1, told(seen));
      assertMatch(seen.findings.find((f) => f.verdict === "fail")!.found!, /crxn up/);
      assertEquals(seen.path.filter(({ state }) => state !== "unknown"), []);
      assertEquals(await statusOf(gw, 3), "down");
    });
    await step("half an up, killed: named, and mended by up", async () => {
      const journal = "/var/lib/crxn/journal.jsonl";
      await gw.must(`crxn up --yes >/dev/null 2>&1 & pid=$!
        for _ in $(seq 400); do test "$(wc -l < ${journal} 2>/dev/null || echo 0)" -ge 14 && break; sleep 0.01; done
        kill -KILL $pid; wait $pid || true`);
      const seen = await doctor(gw, 1, ` --target ${HOST}`);
      assert(failing(seen).length > 0);
      await crxn(gw, "up --yes");
      await answersWithin(5, client);
      await healthyWithin(5, gw);
      assertEquals(await statusOf(gw, 0), "up");
    });
    await step("half a gateway, its units removed: named, and mended by --fix", async () => {
      await gw.must(`systemctl stop tayga@ygg crxn-firewall crxn-link
        rm /etc/systemd/system/tayga@ygg.service /etc/systemd/system/crxn-firewall.service /etc/systemd/system/crxn-link.service
        systemctl daemon-reload`);
      assert(failing(await doctor(gw, 1, ` --target ${HOST}`)).length > 0);
      assertEquals(await statusOf(gw, 1), "degraded");
      await gw.sh("crxn doctor --fix --yes");
      await answersWithin(5, client);
      await healthyWithin(20, gw);
    });
    await step("without root: what cannot be read is unknown, and nothing is called broken", async () => {
      for (const target of ["", ` --target ${HOST}`]) {
        const seen = await asked<Diagnosis>(gw, `${NOBODY} crxn doctor --json${target}`, 0);
        assertEquals(failing(seen), [], told(seen));
        assertEquals(verdictOf(seen, "forward-policy"), "unknown");
        assertEquals(verdictOf(seen, "prefix-route"), "pass");
      }
      assertMatch(checked(gw, "--fix", await gw.sh(`${NOBODY} crxn doctor --fix --yes`), 77).stderr, /root/);
    });
    await step("not Debian: named", async () => {
      await gw.must(
        `printf 'ID=fedora\\nPRETTY_NAME="Fedora Linux 42"\\n' > /run/os; mount --bind /run/os /usr/lib/os-release`,
      );
      const seen = await doctor(gw, 1, ` --target ${HOST}`);
      assertEquals(failing(seen), ["packages"], told(seen));
      assertMatch(seen.findings.find((f) => f.id === "packages")!.found!, /Fedora Linux 42/);
      await gw.must("umount /usr/lib/os-release");
    });
    for (const [program, untold] of PROGRAMS) {
      await step(`without ${program}: nothing is called broken that only could not be asked`, async () => {
        // Debian's /sbin and /usr/sbin, /bin and /usr/bin are one; crxn names programs by their path.
        const path = (await gw.must(`readlink -f $(command -v ${program.split("/").at(-1)})`)).trim();
        await gw.must(["mv", path, `${path}.away`]);
        try {
          const { code, stdout, stderr } = await gw.sh(`crxn doctor --json --target ${HOST}`);
          assert([0, 1].includes(code), `ended with ${code}: ${stdout}${stderr}`);
          checked(gw, "doctor", { code, stdout, stderr }, code);
          const seen = JSON.parse(stdout) as Diagnosis;
          assertEquals(failing(seen).filter((id) => id !== "packages"), [], told(seen));
          for (const id of untold) {
            assert(["unknown", "skip"].includes(verdictOf(seen, id)!), `${id}: ${verdictOf(seen, id)}`);
          }
        } finally {
          await gw.must(["mv", `${path}.away`, path]);
        }
      });
    }
    await step("after all of that it is healthy", () => healthyWithin(5, gw));
    assertStringIncludes(await gw.read(CONFIG), "ovl0");
  });
}
