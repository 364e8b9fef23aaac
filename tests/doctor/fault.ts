/** What a fault of the matrix is: data about one thing that breaks, and what doctor must make of it. */

import type { Hop } from "../../checks/check.ts";
import type { Debian } from "../rig/images.ts";

/**
 * `link`: a gateway over an existing link, with a static uplink. `advertised`: the same, with an IPv6 default route by
 * router advertisement. `yggdrasil`: a gateway and a far node, joined by yggdrasil and VXLAN.
 */
export type SceneName = "link" | "advertised" | "yggdrasil";

/** Where a script runs: the gateway, the far yggdrasil node, the client, the Internet's router, the overlay's host. */
export type Where = "gw" | "far" | "client" | "net" | "host";

/**
 * Shell, run with `sh -eu` in the order of the keys; a plain string runs on the gateway. Variables: OVL, the device on
 * which the overlay's packets leave; GWNS, HOSTNS, NETNS, the namespaces of gateway, overlay host and router.
 */
export type Script = string | Partial<Record<Where, string>>;

/**
 * Whose it is. `own`: the gateway's, so that `--fix` may mend it. `foreign`: somebody else's on the same machine.
 * `far`: another machine's. `person`: the operator's (a device, a config).
 */
export type Owner = "own" | "foreign" | "far" | "person";

/**
 * What becomes of the client's packets. `lost`: no ping is answered. `tcp lost`: pings are, TCP connections do not come
 * about. `large lost`: both work, but not pings of 1448 bytes. `flows`: everything passes.
 */
export type Traffic = "lost" | "tcp lost" | "large lost" | "flows";

export interface Fault {
  /** In a few words, for people and for CRXN_FAULTS; unique. */
  name: string;
  scene: SceneName;
  /** On this Debian only. */
  only?: Debian;
  breaks: Script;
  /** What puts it right afterwards, beyond what `--fix` did. */
  undoes?: Script;
  owner: Owner;
  /** The check that has to name it. */
  id: string;
  /** Checks that rightly fail with it: it is several faults by one command. */
  also?: readonly string[];
  /** What its words must have in them: the file, the rule, the owner. */
  says?: RegExp;
  verdict?: "warn";
  /** The broken station of the path picture; without it the path is whole. */
  hop?: Hop;
  traffic: Traffic;
  /** `doctor --fix` mends it. */
  mended: boolean;
  /** What it takes away from other faults: two that share a word are not made together. */
  touches: readonly string[];
  /** Seconds until traffic flows again once it is mended; default 5. */
  patience?: number;
}

/**
 * Waits until the link's follower has seen it come up: some seconds later it puts back what is missing, and would mend the
 * next fault before anybody looks.
 */
export const FOLLOWED = `for i in $(seq 150); do
  if journalctl --unit=crxn-link --output=cat --lines=1 | grep -q 'is up'; then exit; fi; sleep 0.1; done
echo "crxn-link did not see its link come up" >&2; exit 1`;

/** In `touches`: the machine is one on which crxn refuses to do anything. */
export const CRXN = "crxn";

/** The checks that have to fail, or warn, as a text. */
export const declaredIds = ({ id, also = [] }: Fault): string => [id, ...also].sort().join();

/** Something that only looks like a fault: doctor must find nothing. */
export interface Harmless {
  name: string;
  scene: SceneName;
  only?: Debian;
  makes: Script;
  undoes: Script;
}

/** A fault of the gateway's own, lost on the way and mended by `--fix`, if nothing else is said. */
export const own = (
  fault: Omit<Fault, "owner" | "mended" | "traffic" | "scene"> & Partial<Fault>,
): Fault => ({ scene: "link", owner: "own", mended: true, traffic: fault.hop ? "lost" : "flows", ...fault });

/** A fault of somebody else on this machine, which `--fix` leaves alone. */
export const foreign = (
  fault: Omit<Fault, "owner" | "mended" | "traffic" | "scene"> & Partial<Fault>,
): Fault => ({ ...own(fault), owner: "foreign", mended: false, ...fault });

/** Names and addresses of the scenes, for scripts. */
export const SLICE = "2a04:5b80:300:4::a00:0/104";
export const PREFIX_NET = "2a04:5b80:300:4::/64";
/** The overlay host 10.1.0.3 in the prefix. */
export const MAPPED = "2a04:5b80:300:4::a01:3";
export const POOL = "100.64.0.0/24";
export const CONFIG = "/etc/crxn/crxn.yaml";
