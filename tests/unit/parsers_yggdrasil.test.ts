/** What yggdrasilctl of every generation prints, and how it is read. */

import { assert, assertEquals } from "@std/assert";
import type { Runner } from "../../machine/run.ts";
import { parsePeers, parseSelf, readOverlay } from "../../machine/yggdrasil.ts";
import { OLD_NODES } from "./keys.ts";
import { recorded } from "./recorded.ts";

Deno.test("parsePeers: 0.5 tells of peers that are down, with the reason", () => {
  const [peer] = parsePeers(recorded("trixie", "getpeers.json"));
  assertEquals([peer!.up, peer!.inbound, peer!.key], [false, false, undefined]);
  assert(peer!.error!.includes("no route to host"));
  assertEquals(parseSelf(recorded("trixie", "getself.json")).version, "0.5.12");
  assertEquals(parseSelf(recorded("bookworm", "getself.json")).version, undefined);
});

Deno.test("parsePeers: 0.4 lists connected peers only, without saying that they are up", () => {
  const [peer] = parsePeers(
    '{"peers":[{"address":"200::1","key":"ab","port":1,"remote":"tls://192.0.2.1:443","uptime":7.5}]}',
  );
  assertEquals(peer, {
    uri: "tls://192.0.2.1:443",
    up: true,
    inbound: false,
    key: "ab",
    address: "200::1",
    uptime: 7.5,
  });
});

Deno.test("parsePeers, parseSelf: 0.3 has maps from addresses, with itself in the one of peers", () => {
  const [own, peer] = OLD_NODES;
  const self = {
    [own.address]: { box_pub_key: own.box, build_name: "unknown", build_version: "unknown", coords: "[]" },
  };
  assertEquals(parseSelf(JSON.stringify({ self })), { address: own.address, publicKey: own.box });
  const peers = {
    [own.address]: { box_pub_key: own.box, endpoint: "(self)", port: 0, proto: "self", uptime: 6.6 },
    [peer.address]: {
      box_pub_key: peer.box,
      bytes_recvd: 5706,
      bytes_sent: 5184,
      endpoint: "tcp://198.18.0.2:49124",
      port: 1,
      proto: "tcp",
      uptime: 5.64,
    },
  };
  assertEquals(parsePeers(JSON.stringify({ peers })), [{
    uri: "tcp://198.18.0.2:49124",
    up: true,
    inbound: false,
    address: peer.address,
    key: peer.box,
    uptime: 5.64,
  }]);
  assertEquals(parsePeers('{"peers":{}}'), []);
});

Deno.test("parsePeers, parseSelf: anything else is nobody, not an error", () => {
  for (const text of ["", "null", "[]", "7", '{"peers":7}', '{"peers":null}', '{"peers":[null,7]}', "{"]) {
    assertEquals(parsePeers(text), [], text);
  }
  assertEquals(parsePeers('{"peers":{"200::1":null}}'), [{ uri: "", up: true, inbound: false, address: "200::1" }]);
  for (const text of ["", "null", '{"self":null}', '{"self":{}}', '{"self":7}']) {
    assertEquals(parseSelf(text), {}, text);
  }
  assertEquals(parseSelf('{"self":{"200::1":null}}'), { address: "200::1" });
});

Deno.test("parsePeers: the error of a peer of another generation", () => {
  const error = "invalid handshake length, possible version mismatch";
  const remote = { remote: "tls://198.18.1.1:9001", up: false, inbound: false, key: "", port: 0, last_error: error };
  assertEquals(parsePeers(JSON.stringify({ peers: [remote] })), [{
    uri: "tls://198.18.1.1:9001",
    up: false,
    inbound: false,
    error,
  }]);
});

Deno.test("parsePeers: latency comes in nanoseconds", () => {
  assertEquals(parsePeers('{"peers":[{"remote":"tls://a","up":true,"latency":12500000}]}')[0]!.latency, 12.5);
});

Deno.test("readOverlay: a program that ends well and answers nothing is no daemon's answer", async () => {
  const says = (stdout: string): Runner => ({
    run: (argv) => Promise.resolve({ argv, code: 0, stdout, stderr: "Fatal error: dial unix: permission denied" }),
  });
  assertEquals(await readOverlay(says("")), undefined);
  assertEquals(await readOverlay(says("{}")), { peers: [] });
});
