/** Faults of the system and of the overlay's daemon: packages, services, the link's follower, keys, peers. */

import { Path, Unit, unitPath } from "../../../gateway/names.ts";
import { addressFromKey } from "../../../gateway/yggdrasil_address.ts";
import { dropRoutes, edit, type Fault, link, looping, remove, stop, unit } from "./fault.ts";

export const OVERLAY_FAULTS: Fault[] = [
  { name: "no tayga", check: "packages", make: (s) => void delete s.packages!["tayga"] },
  {
    name: "no tayga, and its unit fails",
    check: "packages",
    make: (s) => {
      delete s.packages!["tayga"];
      stop("tayga@ygg.service", looping)(s);
    },
  },
  {
    name: "another system",
    check: "packages",
    make: (s) => void (s.os = { id: "fedora", version: "42", name: "Fedora Linux 42" }),
  },
  { name: "no TUN driver", check: "tun-device", make: (s) => void (s.tun = false) },
  {
    name: "yggdrasil stopped",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s) => {
      stop(Unit.yggdrasil)(s);
      delete s.overlay;
    },
  },
  { name: "yggdrasil frozen", setup: "yggdrasil", check: "overlay-service", make: (s) => void delete s.overlay },
  {
    name: "yggdrasil not enabled",
    setup: "yggdrasil",
    check: "overlay-service",
    make: (s) => void (unit(s, Unit.yggdrasil).enabled = "disabled"),
  },
  {
    name: "crxn-overlay failed",
    check: "overlay-service",
    make: stop(Unit.overlay, { active: "failed", sub: "failed" }),
  },
  { name: "the link's follower stopped", check: "overlay-service", make: stop(Unit.link) },
  {
    name: "the link's follower not enabled",
    check: "overlay-service",
    make: (s) => void (unit(s, Unit.link).enabled = "disabled"),
  },
  {
    name: "the link made anew, with nobody to follow it",
    check: "overlay-service",
    make: (s) => {
      stop(Unit.link)(s);
      link(s, "wg0").addresses = [];
      dropRoutes(s, (r) => r.device === "wg0");
    },
  },
  { name: "the link's script edited", check: "drift", make: edit(Path.linkScript) },
  {
    name: "the follower's unit file deleted",
    check: "overlay-service",
    make: (s) => {
      remove(unitPath(Unit.link))(s);
      Object.assign(unit(s, Unit.link), { load: "not-found", active: "inactive", enabled: "" });
    },
  },
  {
    name: "the yggdrasil config deleted",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: remove(Path.yggdrasilConfig),
  },
  {
    name: "a private key that everybody may read",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s) => void (s.files[Path.yggdrasilConfig]!.mode = 0o644),
  },
  {
    name: "a daemon with another key",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s) => void (s.overlay!.publicKey = "a".repeat(64)),
  },
  {
    name: "all peers down",
    setup: "yggdrasil",
    check: "overlay-peers",
    make: (s) =>
      void (s.overlay!.peers[0] = { uri: "tls://192.0.2.9:443", up: false, inbound: false, error: "refused" }),
  },
  {
    name: "another key in the daemon's config",
    setup: "yggdrasil",
    check: "overlay-identity",
    make: (s, input) => {
      const key = "c".repeat(64);
      const text = `{ PrivateKey: "${"0".repeat(64)}${key}" }`;
      input.blueprint.facts.identity = { publicKey: key, address: addressFromKey(key), from: "config", text };
      s.files[Path.yggdrasilConfig]!.content = text;
      // As the doctor notes it when the key gives another address than the tunnel was made with.
      input.troubles.push({ check: "overlay-identity", verdict: "fail", found: "another key" });
    },
  },
];
