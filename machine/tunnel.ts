/** How IPv4 gets to the far yggdrasil nodes: by the daemon itself, or in a tunnel that this kernel has. */

import { Program } from "../gateway/action.ts";
import type { Overlay } from "../gateway/config/types.ts";
import { daemonPath } from "../gateway/daemon.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { daemonOf, type Facts } from "../gateway/facts.ts";
import type { Journal } from "../gateway/journal.ts";
import type { Survey } from "../gateway/survey.ts";
import type { Runner } from "./run.ts";

type Yggdrasil = Extract<Overlay, { type: "yggdrasil" }>;
type Tunnel = NonNullable<Facts["tunnel"]>;

/**
 * The kind that the config names, or for `auto` the first that is to be had: the daemon's own tunnel routing, ip6gre, vxlan.
 * @throws CrxnError 69 when daemon or kernel lack the named one
 */
export async function chooseTunnel(
  runner: Runner,
  overlay: Yggdrasil,
  survey: Survey,
  journal: Pick<Journal, "entries">,
): Promise<Tunnel> {
  const { tunnel: wanted } = overlay;
  const { ckr } = daemonOf(survey, overlay);
  if (wanted === "ckr") {
    if (!ckr && survey.daemon?.normalised !== undefined) throw withoutRouting(overlay);
    return { kind: "ckr", why: "the config says so" };
  }
  if (wanted === "auto" && ckr) return { kind: "ckr", why: "auto: the daemon has tunnel routing" };
  if (wanted === "vxlan") return { kind: "vxlan", why: "the config says so" };
  const made = [...journal.entries.values()].flatMap(({ item }) => item.kind === "link" ? [item.spec.type] : []);
  // The far end has the same kind by now: a new kernel is no reason to leave it.
  if (wanted === "auto" && made.includes("vxlan")) return { kind: "vxlan", why: "auto: as at the first `up`" };
  const able = made.includes("ip6gre") || await kernelHas(runner, "ip6gre");
  if (wanted === "ip6gre") {
    if (able || !survey.root) return { kind: "ip6gre", why: "the config says so" };
    throw new CrxnError(
      Exit.unavailable,
      "This kernel has no ip6gre tunnels.",
      "Set overlay.tunnel to vxlan, on both ends.",
    );
  }
  const coming = !survey.daemon && daemonPath(overlay.daemon) !== Program.yggdrasil;
  const unless = coming ? ", unless the daemon, which is not here yet, has tunnel routing" : "";
  return able
    ? { kind: "ip6gre", why: `auto: this kernel has it, and it costs the fewest bytes${unless}` }
    : { kind: "vxlan", why: `auto: this kernel has no ip6gre${unless}` };
}

/** In one sentence what is wrong, in another what to do. */
const withoutRouting = ({ daemon }: Yggdrasil) =>
  new CrxnError(
    Exit.unavailable,
    `${daemonPath(daemon)} has no tunnel routing (overlay.tunnel: ckr): it would ignore TunnelRouting without a word.`,
    "Set overlay.tunnel to auto, ip6gre or vxlan on both ends, or overlay.daemon to one that has it: yggdrasilckr, or yggdrasil 0.3.8 to 0.3.16.",
  );

/** Tries it in a network namespace of its own, which goes with the process. */
async function kernelHas(runner: Runner, type: "ip6gre"): Promise<boolean> {
  // deno-fmt-ignore
  const { code } = await runner.run([Program.unshare, "--net", Program.ip, "link", "add", "crxn-try", "type", type,
    "local", "::1", "remote", "::2"]);
  return code === 0;
}
