import { assertEquals } from "@std/assert";
import { PROBE } from "../../gateway/capability.ts";
import { fileItem, serviceItem } from "../../gateway/item.ts";
import { catchUp } from "../../gateway/live.ts";
import { Path } from "../../gateway/names.ts";
import type { Survey } from "../../gateway/survey.ts";

// What a running daemon is told of a change, and when it has to be started anew after all.

const NORMALISED = { "0.3": "EncryptionPrivateKey", "0.4": "PublicKey", "0.5": "PrivateKey" };
const config = (peers: string[], more = "") => `{\n  PrivateKey: 00\n  Peers: ${JSON.stringify(peers)}\n${more}}\n`;

interface Told {
  before: string;
  after: string;
  path?: string;
  generation?: keyof typeof NORMALISED;
  survey?: Partial<Survey>;
  modified?: number;
  active?: string;
}

/** The program's arguments, "age", or undefined. */
function told(
  { before, after, path = Path.yggdrasilConfig, generation = "0.5", modified = 5, active = "active", survey = {} }:
    Told,
) {
  const item = fileItem(path, after, path.endsWith(".service") ? { unit: true } : {});
  const seen = {
    files: { [path]: { content: before, mode: 0o644, uid: 0, gid: 0, modified } },
    units: { "a.service": { active, since: 10 } },
    overlay: { peers: [] },
    daemon: {
      path: "",
      normalised: JSON.stringify({ [NORMALISED[generation]]: "", PrivateKey: "", of: PROBE.length }),
    },
    ...survey,
  } as unknown as Survey;
  return catchUp(item, [item, serviceItem("a.service", { reads: [path] })], seen)
    ?.map((a) => a.do === "run" ? a.argv.slice(2).join(" ") : a.do === "age" ? `age ${a.modified}` : a.do);
}

const [A, B] = ["tls://a.example:1", "tls://b.example:2?key=00ff"];

Deno.test("catchUp: peers come before others go, and the file's time says that the daemon knows", () => {
  const swap = { before: config([A]), after: config([B]) };
  assertEquals(told(swap), [`addPeer uri=${B}`, `removePeer uri=${A}`, "age 5"]);
  assertEquals(told({ ...swap, generation: "0.4" }), undefined, "it stays connected");
  const more = { before: config([A]), after: config([A, B]) };
  assertEquals(told({ ...more, generation: "0.4" }), [`addPeer uri=${B}`, "age 5"]);
  assertEquals(told({ ...more, generation: "0.3" }), undefined);
});

Deno.test("catchUp: a restart where the daemon does not answer, does not run, or has not read what is there", () => {
  const more = { before: config([A]), after: config([A, B]) };
  assertEquals(told(more), [`addPeer uri=${B}`, "age 5"]);
  assertEquals(told({ ...more, survey: { overlay: undefined } as unknown as Partial<Survey> }), undefined);
  assertEquals(told({ ...more, active: "activating" }), undefined);
  assertEquals(told({ ...more, modified: 11 }), undefined);
});

Deno.test("catchUp: a restart for anything but peers, for secrets, and for a peer with other options", () => {
  assertEquals(told({ before: config([A]), after: config([A, B], '  Listen: ["tls://[::]:1"]\n') }), undefined);
  assertEquals(told({ before: config([A]), after: config([A, `${B}&password=x`]) }), undefined);
  assertEquals(told({ before: config([A, B]), after: config([A, "tls://b.example:2?key=11ff"]) }), undefined);
  assertEquals(told({ before: "{", after: config([]) }), undefined);
});

Deno.test("catchUp: of a unit only what makes items before its daemon starts may change", () => {
  const unit = (pre: string, start: string) => `[Service]\nExecStartPre=${pre}\nExecStart=${start}\n`;
  const path = "/etc/systemd/system/a.service";
  assertEquals(told({ path, before: unit("ip 1", "t"), after: unit("ip 2\nExecStartPre=ip 3", "t") }), ["age 5"]);
  assertEquals(told({ path, before: unit("ip 1", "t"), after: unit("ip 1", "u") }), undefined);
});
