// `crxn rehearse` with a daemon that has tunnel routing: yggdrasil 0.3.16 plays both ends.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { daemon, goObstacle } from "../rig/daemons.ts";
import { COMMAND, run } from "./newcomer.ts";
import { publicHalf } from "../../gateway/yggdrasil_keys.ts";

const reason = goObstacle();
if (reason) console.error(`\nTHE REHEARSAL WITH TUNNEL ROUTING IS NOT TESTED HERE: ${reason}.\n`);

const config = (program: string) => `
address: [10.5.0.1/32, 10.5.0.9/32]
prefix: 2a04:5b80:300:4::/96
overlay:
  type: yggdrasil
  daemon: ${program}
  routes:
    - {to: 10.0.0.0/8, via: ${publicHalf("x25519", "7".repeat(64))}}
    - {to: 10.2.0.0/16, via: ${publicHalf("x25519", "8".repeat(64))}}
nat64:
  maps: [{ipv4: 10.5.0.2, ipv6: "2001:db8::2"}]
`;

Deno.test({
  name: "rehearse: yggdrasil 0.3.16 carries IPv4 by itself, with two far nodes, two addresses and a map",
  ignore: reason !== undefined,
  fn: async () => {
    // Every user must be able to run it, and the cache is root's.
    const directory = await Deno.makeTempDir({ dir: "/usr/local/lib", prefix: "crxn-test-" });
    try {
      await Deno.chmod(directory, 0o755);
      const program = `${directory}/yggdrasil`;
      await Deno.copyFile(await daemon("yggdrasil-0.3.16"), program);
      await Deno.chmod(program, 0o755);
      const file = `${directory}/crxn.yaml`;
      await Deno.writeTextFile(file, config(program));
      const { code, stdout, stderr } = await run([...COMMAND, "--config", file]);
      const said = stdout + stderr;
      assertEquals(code, 0, said);
      assertStringIncludes(said, "ckr over yggdrasil");
      assertStringIncludes(said, "10.1.0.3 reaches 2001:db8::2 as 10.5.0.2");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
