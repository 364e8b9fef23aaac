import type { Blueprint } from "../gateway/blueprint.ts";
import { Unit } from "../gateway/names.ts";
import { restart } from "./device.ts";
import type { Check, Hop, Outcome } from "./check.ts";
import type { Probed } from "./probe_result.ts";

/** Checks whose failure explains a lost probe: the fault has its name then. */
const CAUSES = [
  "overlay-service",
  "overlay-peers",
  "tunnel-routing",
  "overlay-address",
  "overlay-route",
  "translator-service",
  "translator-config",
  "translator-device",
  "pool",
  "pool-route",
  "prefix-route",
  "forwarding-sysctl",
  "forward-policy",
  "nat-rule",
  "conflicts",
];

/** Packets sent through the real path. */
export const probe: Check = {
  id: "probe",
  title: "A ping comes back through the whole path",
  hop: "target",
  needs: [],
  looksAt:
    "Three pings to --target through the prefix, and the packet counters of translator and overlay device before and after. Without --target: the far yggdrasil node, or the overlay's next hop.",
  why: "Everything may look right and still be lost on the way. The counters tell where.",
  cure:
    "Mend what the other checks name. When only the probe fails, the far end is next: does it know the way back to this machine's overlay address?",
  run: ({ probe, survey, blueprint }, others) => {
    if (!probe) return { verdict: "skip", found: "not sent" };
    if (!probe.ran) return { verdict: "skip", found: probe.reason };
    const evidence = [{ command: probe.command, output: probe.output }];
    if (probe.received > 0) return { ...arrived(probe), evidence };
    const cause = CAUSES.find((id) => others(id).verdict === "fail");
    if (cause) return { verdict: "skip", found: `${probe.target} does not answer, which ${cause} explains`, evidence };
    const alone = blueprint.config.overlay.type === "yggdrasil" && survey.overlay?.peers.every((p) => !p.up) === true;
    if (alone) {
      return {
        ...lost(probe, { hop: "overlay", where: "in the overlay: no other yggdrasil node is connected" }),
        evidence,
      };
    }
    return { ...lost(probe, withTunnel(lastSeen(probe), blueprint, probe)), evidence };
  },
};

function arrived({ target, sent, received, rtt }: Probed): Outcome {
  const time = rtt === undefined ? "" : `, ${rtt.toFixed(rtt < 10 ? 1 : 0)} ms`;
  if (received === sent) return { verdict: "pass", found: `${target} answers${time}` };
  return { verdict: "warn", found: `${received} of ${sent} pings to ${target} came back${time}`, want: "all of them" };
}

/** Where the packets were last seen, by what the counters of the devices gained. */
export function lastSeen({ kind, sent, translator, overlay }: Probed): { hop: Hop; where: string } {
  if (kind === "prefix" && translator && overlay) {
    const { device } = translator;
    // A TUN device counts a packet as sent when its daemon takes it.
    if (translator.tx < sent) {
      return { hop: "translator", where: `at ${device}: tayga took no packets (stuck, or none got there)` };
    }
    if (translator.rx < sent) {
      return { hop: "translator", where: `in the translator: packets went into ${device}, none came out` };
    }
    if (overlay.tx < sent) {
      return {
        hop: "forward",
        where: `between ${device} and ${overlay.device}: a firewall, or no neighbour answers there`,
      };
    }
    if (overlay.rx < sent) {
      return { hop: "target", where: `beyond ${overlay.device}: packets left, no answer came back` };
    }
    if (translator.tx < 2 * sent) {
      return { hop: "forward", where: `on the way back, between ${overlay.device} and ${device}` };
    }
    return { hop: "translator", where: `on the way back, in or behind ${device}` };
  }
  if (overlay && overlay.tx < sent) {
    return { hop: "overlay", where: `before ${overlay.device}: nothing left by the overlay link` };
  }
  if (kind === "overlay") return { hop: "overlay", where: "in the yggdrasil network, or at the far node" };
  return { hop: "target", where: `beyond ${overlay?.device ?? "this machine"}: packets left, no answer came back` };
}

/** Nothing at all came out of the tunnel, though the far node answers: it may have another kind of tunnel, or none. */
function withTunnel(
  at: { hop: Hop; where: string },
  { facts }: Blueprint,
  { overlay }: Probed,
): { hop: Hop; where: string } {
  if (at.hop !== "target" || !facts.tunnel || overlay?.rx !== 0) return at;
  return { ...at, where: `${at.where}; has the far end a ${facts.tunnel.kind} tunnel too, and routes back?` };
}

/** With everything around it in order, a translator that lets nothing through is started anew. */
function stuck(device: string): Pick<Outcome, "fix" | "mend"> {
  const step = restart(Unit.translator(device.replace(/^nat64-/, "")));
  return { fix: step.actions.flatMap((a) => a.do === "run" ? [a.argv] : []), mend: { items: [], steps: [step] } };
}

function lost(probe: Probed, { hop, where }: { hop: Hop; where: string }): Outcome {
  return {
    verdict: "fail",
    found: `no answer from ${probe.target}; lost ${where}`,
    want: `an answer from ${probe.target}`,
    hop,
    ...(hop === "translator" && probe.translator ? stuck(probe.translator.device) : {}),
  };
}
