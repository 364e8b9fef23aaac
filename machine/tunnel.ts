/** Which kernel tunnel runs here between yggdrasil nodes. */

import { Program } from "../gateway/action.ts";
import type { Tunnel } from "../gateway/config/types.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Facts } from "../gateway/facts.ts";
import type { Journal } from "../gateway/journal.ts";
import type { Survey } from "../gateway/survey.ts";
import type { Runner } from "./run.ts";

/**
 * The kind that the config names, or for `auto` the first that this kernel has: ip6gre, then vxlan.
 * @throws CrxnError 69 when the kernel lacks the named one
 */
export async function chooseTunnel(
  runner: Runner,
  wanted: Tunnel,
  survey: Survey,
  journal: Pick<Journal, "entries">,
): Promise<NonNullable<Facts["tunnel"]>> {
  if (wanted === "ckr") {
    throw new CrxnError(
      Exit.unavailable,
      "overlay.tunnel: ckr is not supported yet.",
      "Use `auto`, `ip6gre` or `vxlan`: they run over every yggdrasil since 0.4.",
    );
  }
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
  return able
    ? { kind: "ip6gre", why: "auto: this kernel has it, and it costs the fewest bytes" }
    : { kind: "vxlan", why: "auto: this kernel has no ip6gre" };
}

/** Tries it in a network namespace of its own, which goes with the process. */
async function kernelHas(runner: Runner, type: "ip6gre"): Promise<boolean> {
  // deno-fmt-ignore
  const { code } = await runner.run([Program.unshare, "--net", Program.ip, "link", "add", "crxn-try", "type", type,
    "local", "::1", "remote", "::2"]);
  return code === 0;
}
