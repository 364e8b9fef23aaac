/** Who a node is: from the daemon's config, a key file beside it, an earlier time, or new. For both generations. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createPrivateKey } from "node:crypto";
import { CrxnError } from "../../gateway/errors.ts";
import { publicKeyIn } from "../../gateway/yggdrasil_keys.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { findIdentity, keepIdentity, newIdentity } from "../../machine/identity.ts";
import { placeFiles } from "../../machine/place.ts";
import { FakeMachine } from "./fake/machine.ts";
import { OLD_KEYS, OLD_NODES, SEED, TODAY } from "./keys.ts";

const CONFIG = "/etc/yggdrasil/yggdrasil.conf";
const KEPT = { "0.5": "/var/lib/crxn/yggdrasil.key", "0.3": "/var/lib/crxn/yggdrasil-0.3.key" } as const;

const test = (name: string, fn: (machine: FakeMachine) => Promise<void>) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine();
      placeFiles(machine.folder);
      await fn(machine);
    },
  });

Deno.test("newIdentity: keys that belong together, other ones each time", async () => {
  for (const generation of ["0.3", "0.4", "0.5"] as const) {
    const [one, two] = await Promise.all([newIdentity(generation), newIdentity(generation)]);
    assert(one.publicKey !== two.publicKey);
    assertEquals(publicKeyIn(one.keys!, generation), one.publicKey);
    assertEquals([one.from, one.address], ["new", addressFromKey(one.publicKey, generation)]);
    const names = generation === "0.3" ? Object.keys(OLD_KEYS) : ["PrivateKey"];
    assertEquals(Object.keys(one.keys!), names);
    assertEquals(new Set(Object.values(one.keys!)).size, names.length);
  }
});

test("findIdentity: what was kept is the same node again, each generation its own", async (machine) => {
  const old = await newIdentity("0.3");
  const today = await newIdentity("0.5");
  await keepIdentity(old);
  await keepIdentity(today);
  for (const path of Object.values(KEPT)) {
    const { mode } = Deno.statSync(machine.folder + path);
    assertEquals((mode! & 0o7777).toString(8), "600", path);
  }
  assertEquals(await findIdentity("0.3"), { ...old, from: "kept" });
  for (const generation of ["0.4", "0.5"] as const) {
    assertEquals(await findIdentity(generation), { ...today, from: "kept" });
  }
});

test("findIdentity: what was kept and is damaged is of no use: a new one", async (machine) => {
  const damaged = {
    "0.5": ["", "zz", SEED, SEED + OLD_NODES[0].sign, JSON.stringify({ PrivateKey: SEED + TODAY })],
    "0.3": ["", "{", "null", "7", "{}", JSON.stringify({ ...OLD_KEYS, SigningPublicKey: TODAY }), SEED + TODAY],
  } as const;
  for (const [generation, texts] of Object.entries(damaged) as ["0.3" | "0.5", readonly string[]][]) {
    for (const text of texts) {
      machine.write(KEPT[generation], `${text}\n`);
      assertEquals((await findIdentity(generation)).from, "new", text);
    }
  }
});

test("keepIdentity: an identity without keys of its own is in the daemon's config, and is not kept", async (machine) => {
  await keepIdentity({ publicKey: TODAY, address: "200::", from: "config", text: "{}" });
  assertEquals(Object.values(KEPT).map((path) => machine.read(path)), [undefined, undefined]);
});

test("findIdentity: the config's own keys count before kept ones", async (machine) => {
  await keepIdentity(await newIdentity("0.5"));
  machine.write(CONFIG, `{\n  PrivateKey: ${SEED}${TODAY}\n}\n`);
  const found = await findIdentity("0.5");
  assertEquals([found.publicKey, found.from, found.keys], [TODAY, "config", undefined]);
  await assertRejects(() => findIdentity("0.3"), CrxnError, "is of yggdrasil 0.4 or later");
  machine.write(CONFIG, JSON.stringify(OLD_KEYS));
  assertEquals((await findIdentity("0.3")).address, OLD_NODES[0].address);
  await assertRejects(() => findIdentity("0.5"), CrxnError, "only keys of yggdrasil 0.3");
});

test("findIdentity: PrivateKeyPath: the key in that file, or an error; never another one", async (machine) => {
  // deno-lint-ignore no-explicit-any
  const key = Uint8Array.from(`302e020100300506032b657004220420${SEED}`.match(/../g)!, (p) => parseInt(p, 16)) as any;
  const pem = createPrivateKey({ key, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  const other = await newIdentity();
  machine.write(CONFIG, `{\n  PrivateKey: ${other.keys!["PrivateKey"]}\n  PrivateKeyPath: /etc/yggdrasil/key.pem\n}\n`);
  await assertRejects(() => findIdentity("0.5"), CrxnError, "key.pem, which does not exist");
  machine.write("/etc/yggdrasil/key.pem", String(pem));
  assertEquals((await findIdentity("0.5")).publicKey, TODAY);
  // 0.4 does not know the setting.
  assertEquals((await findIdentity("0.4")).publicKey, other.publicKey);
  machine.write("/etc/yggdrasil/key.pem", SEED + TODAY);
  await assertRejects(() => findIdentity("0.5"), CrxnError, "holds no ed25519 key");
});
