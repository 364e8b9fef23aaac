import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { binaryName } from "../../.ci/names.ts";
import { installer } from "../../.ci/release.ts";
import { VERSION } from "../../commands/version.ts";
import { diffSnapshots, Lab, type Machine, type Output, snapshot } from "../rig/mod.ts";
import { sha256 } from "../rig/paths.ts";
import { BINARY, needsBinary, offerRelease, unbuilt } from "../rig/release.ts";
import { Web } from "../rig/web.ts";
import { chaptersOf, DEBIANS } from "./story.ts";

// install.sh on bare Debians, that have what a fresh machine has. One fetches with curl, the other with wget.

const FETCHER = { bookworm: "curl", trixie: "wget" } as const;
const READ = { curl: "curl -fsSL", wget: "wget -qO-" } as const;
const PLACE = "/usr/local/bin/crxn";
const OWN = Deno.build.arch;
const NAME = binaryName(OWN);
/** What a release has for other machines. */
const FOREIGN = `${"0".repeat(64)}  ${binaryName(OWN === "x86_64" ? "aarch64" : "x86_64")}\n`;

const bytes = (text: string) => new TextEncoder().encode(text);

/** A program, as a release has it below its own folder of the web server. @returns its address */
const offer = (web: Web, folder: string, program: Uint8Array, sum?: string): Promise<string> =>
  offerRelease(web, program, { folder, ...(sum ? { sum } : {}) });

/** Runs the script from stdin, as `curl | sh` does. */
const piped = (machine: Machine, url: string, argv = ["sh"]): Promise<Output> =>
  machine.run(argv, { input: installer(), env: { CRXN_URL: url } });

async function refused(machine: Machine, output: Promise<Output>, says: RegExp): Promise<void> {
  const { code, stdout, stderr } = await output;
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, says);
  assertStringIncludes(stderr, "crxn was not installed:");
  await nothingThere(machine);
}

/** Neither a crxn nor a part of one. */
const nothingThere = async (machine: Machine) =>
  assertEquals(await machine.must("ls -A /usr/local/bin; ls -A /tmp /var/tmp | grep -i crxn || true"), "");

for (const debian of DEBIANS) {
  const tool = FETCHER[debian];
  Deno.test({
    name: `install.sh: a bare ${debian} with ${tool}${needsBinary}`,
    ignore: unbuilt !== undefined,
    fn: async (t) => {
      const chapter = chaptersOf(t);
      await using lab = await Lab.create();
      const net = await lab.internet();
      const gw = await lab.machine("gw", { debian, uplink: net });
      const web = await Web.start(net);
      const program = await Deno.readFile(BINARY);
      const small = bytes("#!/bin/sh\necho hello\n");
      const good = await offer(web, "good", program);
      await web.offer("install.sh", bytes(installer()));

      await chapter(
        "without curl and wget it says what to install",
        () => refused(gw, piped(gw, good), /neither curl nor wget[\s\S]*apt-get install curl/),
      );
      await gw.must(
        `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends ${tool}`,
      );
      const before = await snapshot(gw);

      await chapter("not root, another Debian, another system, another processor", async () => {
        const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"];
        await refused(gw, piped(gw, good, nobody), /this needs root/);
        const release = await gw.read("/etc/os-release");
        for (
          const [text, says] of [
            [release.replace(/VERSION_ID=.*/, 'VERSION_ID="11"'), /this is Debian 11\.\ncrxn needs Debian 12/],
            [release.replace(/^ID=debian/m, "ID=ubuntu"), /this is not Debian/],
            ["", /this is not Debian/],
          ] as const
        ) {
          await gw.write("/run/os-release", text);
          await gw.must("mount --bind /run/os-release /etc/os-release");
          await refused(gw, piped(gw, good), says);
          await gw.must("umount /etc/os-release; rm /run/os-release");
        }
        await gw.write("/run/fake/uname", "#!/bin/sh\necho riscv64\n", 0o755);
        await refused(gw, piped(gw, good, ["env", "PATH=/run/fake:/usr/bin:/bin", "sh"]), /no crxn for riscv64/);
        await gw.must("rm -r /run/fake");
      });
      await chapter("a server out of reach, a place without a release: nothing is installed", async () => {
        await refused(gw, piped(gw, "http://192.0.2.1:9"), /SHA256SUMS cannot be fetched[\s\S]*online/);
        await refused(gw, piped(gw, `${web.address}/none`), /SHA256SUMS cannot be fetched/);
        await web.offer("empty/SHA256SUMS", bytes(FOREIGN));
        await refused(gw, piped(gw, `${web.address}/empty`), new RegExp(`names no crxn for ${OWN}, or several`));
        await web.offer("two/SHA256SUMS", bytes(`${"0".repeat(64)}  ${NAME}\n${"1".repeat(64)}  crxn-9.9.9-${OWN}\n`));
        await refused(gw, piped(gw, `${web.address}/two`), new RegExp(`names no crxn for ${OWN}, or several`));
        await web.offer("sums/SHA256SUMS", bytes(`${"0".repeat(64)}  ${NAME}\n`));
        await refused(
          gw,
          piped(gw, `${web.address}/sums`),
          new RegExp(`${NAME.replaceAll(".", "\\.")} cannot be fetched`),
        );
      });
      await chapter(
        "from an https address curl follows no redirect to anything else; from http, which warns, it may",
        async () => {
          await gw.write("/run/fake/curl", '#!/bin/sh\necho "$*" >>/run/asked\nexit 22\n', 0o755);
          const argv = ["env", "PATH=/run/fake:/usr/sbin:/usr/bin:/bin", "sh"];
          await refused(gw, piped(gw, "https://192.0.2.1", argv), /SHA256SUMS cannot be fetched/);
          assertMatch(await gw.read("/run/asked"), / --proto-redir =https --/);
          await refused(gw, piped(gw, "http://192.0.2.1", argv), /warning: http:[^]*SHA256SUMS cannot be fetched/);
          assertMatch(await gw.read("/run/asked"), / --proto-redir =https,http --/);
          await gw.must("rm -r /run/fake /run/asked");
        },
      );
      await chapter("a wrong sum, a binary that was cut off, one that does not run: nothing is installed", async () => {
        await refused(gw, piped(gw, await offer(web, "wrong", small, "0".repeat(64))), /is not what SHA256SUMS says/);
        const half = program.subarray(0, program.length / 2);
        await refused(
          gw,
          piped(gw, await offer(web, "half", half, await sha256(program))),
          /is not what SHA256SUMS says/,
        );
        await refused(
          gw,
          piped(gw, `${web.address}/cut/good`),
          new RegExp(`${NAME.replaceAll(".", "\\.")} cannot be fetched`),
        );
        await refused(
          gw,
          piped(gw, await offer(web, "foreign", bytes("no program\n"))),
          /does not run on this machine/,
        );
      });
      await chapter("interrupted while it fetches: nothing is left", async () => {
        // Nobody answers there.
        await gw.must("ip route add blackhole 203.0.113.7 || true; ip route replace 203.0.113.7 dev eth0");
        const { code } = await piped(gw, "http://203.0.113.7", ["timeout", "2", "sh"]);
        assertEquals(code, 124);
        await nothingThere(gw);
        await gw.must("ip route del 203.0.113.7 dev eth0");
      });
      await chapter("half a script installs nothing, wherever it ends", async () => {
        const script = installer();
        const last = script.lastIndexOf('main "$@"');
        // All of its end; of the rest the ends of lines, and places in their midst.
        const ends = [...script.matchAll(/\n/g)].flatMap(({ index }) => [index, index + 1, index + 9]);
        const lengths = [...new Set([...ends, last - 2, last - 1, last, last + 1, last + 2, last + 3])].filter((n) =>
          n <= last + 3
        );
        const loop = 'for n in "$@"; do head -c "$n" /run/install.sh | sh >/dev/null 2>&1; ls -A /usr/local/bin; done';
        await gw.write("/run/install.sh", script);
        const { stdout } = await gw.run(["sh", "-c", loop, "sh", ...lengths.map(String)], { env: { CRXN_URL: good } });
        assertEquals(stdout, "");
        assert(lengths.length > 100);
        await gw.must("rm /run/install.sh");
      });
      await chapter(
        "after all of these the machine is as it was",
        async () => assertEquals(diffSnapshots(before, await snapshot(gw)), ""),
      );
      await chapter(`${READ[tool]} URL/install.sh | sh: it is there, whole, and says what comes next`, async () => {
        const line = `${READ[tool]} ${web.address}/install.sh | CRXN_URL=${good}/ sh`;
        const { code, stdout, stderr } = await gw.run(["sh", "-c", line]);
        assertEquals(code, 0, stderr);
        assertMatch(stdout, new RegExp(`^crxn ${VERSION} \\(.*\\) is installed: ${PLACE}\n`));
        assertStringIncludes(stdout, "crxn up --dry-run");
        assertEquals(await gw.must(["stat", "-c", "%a %U:%G", PLACE]), "755 root:root\n");
        assertEquals(await gw.must("ls -A /usr/local/bin"), "crxn\n");
        assertMatch(await gw.must(["crxn", "--version"]), new RegExp(`^crxn ${VERSION} \\(`));
        await gw.must(["crxn", "--help"]);
      });
      await chapter("a newer one takes its place in one step; what fails leaves the old one", async () => {
        const old = await gw.must(["sha256sum", PLACE]);
        const failed = await piped(gw, `${web.address}/wrong`);
        assertEquals([failed.code, await gw.must(["sha256sum", PLACE])], [1, old]);
        const newer = await piped(gw, await offer(web, "newer", small));
        assertEquals(newer.code, 0, newer.stderr);
        assertMatch(newer.stdout, /^hello is installed/);
        assertEquals(await gw.must("ls -A /usr/local/bin"), "crxn\n");
      });
    },
  });
}
