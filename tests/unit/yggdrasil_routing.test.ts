/** The section of yggdrasil's config for tunnel routing, of every schema, and the keys of 0.3 and 0.5. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import hjson from "hjson";
import { CrxnError } from "../../gateway/errors.ts";
import { maskSecrets } from "../../gateway/mask.ts";
import {
  identityOf,
  keyFileOf,
  type Routing,
  routingSection,
  yggdrasilConfig,
} from "../../gateway/yggdrasil_config.ts";
import { OLD_KEYS, OLD_NODES, SCHEMAS, SEED, TODAY } from "./keys.ts";
import { OVERLAY } from "./yggdrasil_overlay.ts";

const VIA = OLD_NODES[0].sign;
const ROUTED = { ...OVERLAY, routes: [{ to: "10.0.0.0/8", via: VIA }, { to: "10.7.0.0/16", via: TODAY }] };
const routing = (schema: keyof typeof SCHEMAS, on = true): Routing => ({
  ckr: [...SCHEMAS[schema]],
  on,
  local: ["10.5.0.1/32"],
});
const commented = (section: string) =>
  `{
  // who I am
  PrivateKey: ${SEED}${TODAY}
  Peers: [
    # the office
    tls://192.0.2.1:443
    # the cellar
    tls://198.51.100.1:443
  ]
  Listen: []
  IfName: ygg
  # how IPv4 goes
  TunnelRouting: {
${section}
  }
  # the end
  NodeInfo: { name: "cellar" }
}
`;

Deno.test("yggdrasilConfig: comments stay inside a list that changes, also when it gets longer, shorter or empty", () => {
  const text = commented("    Enable: false");
  for (
    const peers of [
      ["tls://192.0.2.1:443", "tls://198.51.100.2:443"],
      ["tls://192.0.2.1:443", "tls://198.51.100.1:443", "tls://203.0.113.1:443"],
      ["tls://192.0.2.1:443"],
      [],
    ]
  ) {
    const edited = yggdrasilConfig({ ...OVERLAY, peers }, identityOf(text));
    assertEquals((hjson.parse(edited) as { Peers: string[] }).Peers, peers);
    for (const kept of ["// who I am", "# how IPv4 goes", "# the end"]) assertStringIncludes(edited, kept);
    if (peers.length > 0) assertStringIncludes(edited, "# the office");
    if (peers.length > 1) assertStringIncludes(edited, "# the cellar");
    assertEquals(yggdrasilConfig({ ...OVERLAY, peers }, identityOf(edited)), edited);
  }
});

Deno.test("yggdrasilConfig: tunnel routing goes into a section that is there, with its comments and what is not ours", () => {
  const text = commented(`    # switched by hand
    Enable: false
    # to the office
    RemoteSubnets: {
      # its key
      ${VIA}: [
        # all of it
        "10.9.0.0/16"
      ]
    }
    # mine
    MyOwn: 7`);
  const edited = yggdrasilConfig(ROUTED, identityOf(text), routing("2"));
  assertEquals((hjson.parse(edited) as Record<string, unknown>)["TunnelRouting"], {
    Enable: true,
    RemoteSubnets: { [VIA]: ["10.0.0.0/8"], [TODAY]: ["10.7.0.0/16"] },
    MyOwn: 7,
    InstallRoutes: false,
    YggdrasilRouting: true,
  });
  for (const kept of ["# switched by hand", "# to the office", "# its key", "# all of it", "# mine", "# the office"]) {
    assertStringIncludes(edited, kept);
  }
  assertEquals(yggdrasilConfig(ROUTED, identityOf(edited), routing("2")), edited);
});

Deno.test("yggdrasilConfig: a node that is gone from the routes is gone from the section", () => {
  const text = commented("    Enable: true");
  const both = yggdrasilConfig(ROUTED, identityOf(text), routing("newest"));
  const one = yggdrasilConfig({ ...ROUTED, routes: ROUTED.routes.slice(1) }, identityOf(both), routing("newest"));
  assertEquals(routingSection(one)!["RemoteSubnets"], { [TODAY]: ["10.7.0.0/16"] });
  assert(!one.includes(VIA), one);
  assertEquals(yggdrasilConfig({ ...ROUTED, routes: ROUTED.routes.slice(1) }, identityOf(one), routing("newest")), one);
});

Deno.test("yggdrasilConfig: nodes in another order are no change, or the daemon would be restarted for nothing", () => {
  const file = { publicKey: TODAY, address: "", from: "new" as const, keys: { PrivateKey: SEED + TODAY } };
  const other = { ...ROUTED, routes: [...ROUTED.routes].reverse() };
  for (const schema of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
    const text = yggdrasilConfig(ROUTED, file, routing(schema));
    assertEquals(yggdrasilConfig(other, { ...file, from: "config", text }, routing(schema)), text, schema);
  }
});

Deno.test("yggdrasilConfig: a section that is not wanted is shut, and the daemon adds no routes of it", () => {
  const subnets = { [VIA]: ["10.9.0.0/16"] };
  const text = commented(
    `    Enable: true\n    RemoteSubnets: ${JSON.stringify(subnets)}\n    Addresses: ["10.9.9.9/32"]`,
  );
  const section = (schema: keyof typeof SCHEMAS) =>
    routingSection(yggdrasilConfig(ROUTED, identityOf(text), routing(schema, false)))!;
  const rest = { Addresses: ["10.9.9.9/32"] };
  for (const schema of ["0.3", "1"] as const) {
    assertEquals(section(schema), { Enable: false, RemoteSubnets: subnets, ...rest });
  }
  for (const schema of ["2", "between"] as const) {
    assertEquals(section(schema), { Enable: false, RemoteSubnets: subnets, ...rest, InstallRoutes: false });
  }
  // It has no switch.
  assertEquals(section("newest"), { Enable: true, RemoteSubnets: {}, ...rest, InstallRoutes: false });
});

Deno.test("yggdrasilConfig: a section in another spelling counts as well", () => {
  const text = commented("    enable: true").replace("TunnelRouting", "tunnelrouting");
  assertEquals(routingSection(text), { enable: true });
  const shut = yggdrasilConfig(ROUTED, identityOf(text), routing("1", false));
  // The last one counts where both are there, and every daemon takes the one that is spelled exactly.
  assertEquals((hjson.parse(shut) as Record<string, unknown>)["TunnelRouting"], { enable: true, Enable: false });
  assert(shut.indexOf("TunnelRouting") > shut.indexOf("tunnelrouting"), shut);
});

Deno.test("yggdrasilConfig: without a daemon that knows it a section is left as it is, and none is made", () => {
  const text = commented("    Enable: true");
  assertEquals(routingSection(yggdrasilConfig(ROUTED, identityOf(text))), { Enable: true });
  const bare = `{ PrivateKey: ${JSON.stringify(SEED + TODAY)} }`;
  assertEquals(routingSection(yggdrasilConfig(ROUTED, identityOf(bare))), undefined);
  assertEquals(routingSection(yggdrasilConfig(ROUTED, identityOf(bare), routing("2", false))), undefined);
});

Deno.test("yggdrasilConfig: other daemons than Debian's get a socket that they may make; one that is named stays", () => {
  const socket = (daemon: string, more: string) =>
    (hjson.parse(yggdrasilConfig(
      { ...OVERLAY, daemon },
      identityOf(`{ "PrivateKey": "${SEED}${TODAY}", "IfName": "x"${more} }`),
    )) as Record<string, unknown>)["AdminListen"];
  assertEquals(socket("/opt/ckr", ""), "unix:///var/run/yggdrasil/yggdrasil.sock");
  assertEquals(socket("/opt/ckr", ', "AdminListen": "none"'), "none");
  assertEquals(socket("/usr/sbin/yggdrasil", ""), undefined);
});

Deno.test("yggdrasilConfig: a new file for 0.3 has its four keys and its schema, and reads as the same node", () => {
  const { box, address } = OLD_NODES[0];
  const old = { publicKey: box, address, from: "new" as const, keys: OLD_KEYS };
  const text = yggdrasilConfig(ROUTED, old, routing("0.3"));
  assertEquals(identityOf(text, "0.3"), { publicKey: box, address, from: "config", text });
  assertEquals(routingSection(text), {
    Enable: true,
    IPv4RemoteSubnets: { "10.0.0.0/8": VIA, "10.7.0.0/16": TODAY },
    IPv4LocalSubnets: ["10.5.0.1/32"],
  });
  assertEquals(yggdrasilConfig(ROUTED, identityOf(text, "0.3"), routing("0.3")), text);
  const masked = maskSecrets(text);
  for (const secret of [OLD_NODES[0].secret, OLD_NODES[0].signSeed]) assert(!masked.includes(secret), masked);
  assertStringIncludes(masked, box);
});

Deno.test("identityOf: PrivateKeyPath counts before PrivateKey, in 0.5 alone", () => {
  const text = `{ PrivateKey: "${SEED}${TODAY}", PrivateKeyPath: "/etc/yggdrasil/key.pem" }`;
  assertEquals(keyFileOf(text, "0.5"), "/etc/yggdrasil/key.pem");
  assertEquals([keyFileOf(text, "0.4"), keyFileOf("{", "0.5")], [undefined, undefined]);
  assertThrows(() => identityOf(text, "0.5"), CrxnError, "/etc/yggdrasil/key.pem, which does not exist");
  assertEquals(identityOf(text, "0.4").publicKey, TODAY);
});

Deno.test("routingSection: of what cannot be read there is none", () => {
  for (const text of ["", "{", "[]", "{ TunnelRouting: null }", "{ TunnelRouting: 7 }", "{}"]) {
    assertEquals(routingSection(text), undefined, text);
  }
});
