/** What a daemon can do, told from what it makes of a config; and the config that it then gets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  capabilityOf,
  type CkrSetting,
  type Generation,
  ignoredSettings,
  PROBE,
  schemaName,
  tunnelRouting,
} from "../../gateway/capability.ts";
import type { Overlay } from "../../gateway/config/types.ts";
import { daemonOf } from "../../gateway/facts.ts";
import { Path } from "../../gateway/names.ts";
import { OLD_KEYS, OLD_NODES, SCHEMAS } from "./keys.ts";

const recorded = (name: string) => Deno.readTextFileSync(new URL(`recorded/normalised/${name}.json`, import.meta.url));

/** Normalised by the program itself, but for the private keys; the names say which. */
const REAL: Record<string, [Generation, readonly CkrSetting[] | undefined]> = {
  "0.3.16": ["0.3", SCHEMAS["0.3"]],
  "0.4.7": ["0.4", undefined],
  "ckr-1": ["0.5", SCHEMAS["1"]],
  "ckr-2": ["0.5", SCHEMAS["2"]],
  "ckr-newest": ["0.5", SCHEMAS["newest"]],
};

for (const [name, [generation, ckr]] of Object.entries(REAL)) {
  Deno.test(`capabilityOf: ${name}, by what it makes of our question`, () => {
    assertEquals(capabilityOf(recorded(name)), { generation, ...(ckr ? { ckr: [...ckr] } : {}) });
  });
}

Deno.test("capabilityOf: 0.5 has no public key in its config, and every schema in the question", () => {
  assertEquals(capabilityOf('{"PrivateKey":"00","IfName":"auto"}'), { generation: "0.5" });
  const asked = Object.keys(JSON.parse(PROBE).TunnelRouting);
  assertEquals(asked, [...new Set(Object.values(SCHEMAS).flat())].sort((a, b) => asked.indexOf(a) - asked.indexOf(b)));
});

Deno.test("capabilityOf: a section without a place for networks and keys is of no use", () => {
  for (const routing of [{}, null, "on", { Enable: true }, { InstallRoutes: true, Addresses: [] }, ["RemoteSubnets"]]) {
    assertEquals(capabilityOf(JSON.stringify({ PrivateKey: "", TunnelRouting: routing })), { generation: "0.5" });
  }
});

Deno.test("capabilityOf: anything else is no yggdrasil", () => {
  for (const text of ["", "{}", "null", "[]", "7", '"PrivateKey"', "Build name: yggdrasil", '{"Key":""}', "{"]) {
    assertEquals(capabilityOf(text), undefined, text);
  }
});

Deno.test("daemonOf: one that is not there, or does not work, is taken for Debian's; its config tells 0.3", () => {
  const overlay = (daemon: string) => ({ type: "yggdrasil", daemon }) as Overlay;
  const [stock, own] = [overlay("/usr/sbin/yggdrasil"), overlay("/opt/y")];
  const seen = (text: string) => ({ [Path.yggdrasilConfig]: { content: text, mode: 0, uid: 0, gid: 0, modified: 0 } });
  const old = JSON.stringify(OLD_KEYS);
  const daemon = { path: "/opt/y", error: "killed" };
  assertEquals(daemonOf({ files: {} }, own), { generation: "0.5" });
  assertEquals(daemonOf({ files: {}, daemon }, own), { generation: "0.5" });
  assertEquals(daemonOf({ files: seen(old), daemon }, own), { generation: "0.3" });
  assertEquals(daemonOf({ files: seen(old) }, own), { generation: "0.3" });
  // No package of Debian's is a 0.3, and a config with both serves both.
  assertEquals(daemonOf({ files: seen(old) }, stock), { generation: "0.5" });
  assertEquals(daemonOf({ files: seen(old.replace("{", '{"PrivateKey":"00",')) }, own), { generation: "0.5" });
  assertEquals(daemonOf({ files: seen("{") }, own), { generation: "0.5" });
  // What it says itself counts first.
  const asked = { path: "/opt/y", normalised: recorded("ckr-2") };
  assertEquals(daemonOf({ files: seen(old), daemon: asked }, own).generation, "0.5");
  assertEquals(daemonOf({ files: {}, daemon: { ...asked, normalised: recorded("0.3.16") } }, own).generation, "0.3");
});

const [A, B] = [OLD_NODES[0].box, OLD_NODES[1].box];
const ROUTES = [{ to: "10.0.0.0/8", via: A }, { to: "10.7.0.0/16", via: B }, { to: "172.20.0.0/14", via: A }];
const perNetwork = { "10.0.0.0/8": A, "10.7.0.0/16": B, "172.20.0.0/14": A };
const perKey = { [A]: ["10.0.0.0/8", "172.20.0.0/14"], [B]: ["10.7.0.0/16"] };
const ours = { InstallRoutes: false, YggdrasilRouting: true };

const RENDERED: Record<keyof typeof SCHEMAS, Record<string, unknown>> = {
  "0.3": { Enable: true, IPv4RemoteSubnets: perNetwork, IPv4LocalSubnets: ["10.5.0.1/32"] },
  "1": { Enable: true, IPv4RemoteSubnets: perNetwork },
  "2": { Enable: true, RemoteSubnets: perKey, ...ours },
  "between": { Enable: true, RemoteSubnets: perKey, ...ours, Addresses: [] },
  "newest": { RemoteSubnets: perKey, ...ours, Addresses: [] },
};

for (const [schema, section] of Object.entries(RENDERED) as [keyof typeof SCHEMAS, Record<string, unknown>][]) {
  Deno.test(`tunnelRouting: schema ${schema} gets what it knows and nothing else`, () => {
    const made = tunnelRouting([...SCHEMAS[schema]], ROUTES, ["10.5.0.1/32"]);
    assertEquals(made, section);
    assertEquals(Object.keys(made), [...SCHEMAS[schema]]);
    assertEquals(ignoredSettings(made, { generation: "0.5", ckr: [...SCHEMAS[schema]] }), []);
  });
}

Deno.test("tunnelRouting: without named networks of this side 0.3 lets any through", () => {
  assertEquals(tunnelRouting(["IPv4LocalSubnets"], ROUTES, undefined), { IPv4LocalSubnets: ["0.0.0.0/0"] });
  assertEquals(tunnelRouting(["IPv4LocalSubnets"], ROUTES, []), { IPv4LocalSubnets: [] });
});

Deno.test("ignoredSettings: what another schema's section has more, or all of it", () => {
  const section = RENDERED["2"];
  assertEquals(ignoredSettings(section, { generation: "0.5", ckr: [...SCHEMAS["1"]] }), [
    "RemoteSubnets",
    "InstallRoutes",
    "YggdrasilRouting",
  ]);
  assertEquals(ignoredSettings(section, { generation: "0.5" }), Object.keys(section));
  assertEquals(ignoredSettings({ IPv6RemoteSubnets: {} }, { generation: "0.3", ckr: [...SCHEMAS["0.3"]] }), [
    "IPv6RemoteSubnets",
  ]);
});

Deno.test("schemaName: the words of the daemon's own config", () => {
  assertStringIncludes(schemaName([...SCHEMAS["1"]]), "TunnelRouting with Enable, IPv4RemoteSubnets");
  assert(!schemaName([...SCHEMAS["newest"]]).includes("Enable"));
});
