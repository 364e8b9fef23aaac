import { Program } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { Unit } from "../gateway/names.ts";
import { restart } from "./device.ts";
import type { Check, CheckInput, Evidence, Hop, Others, Outcome } from "./check.ts";
import { lossOf, type LossPlace } from "./probe_loss.ts";
import type { Dropped, FlowName, Probed } from "./probe_result.ts";
import { type Place, placeOf } from "./probe_words.ts";

/** Checks whose failure explains a lost probe: the fault has its name then. */
const CAUSES = [
  "packages",
  "tun-device",
  "overlay-service",
  "overlay-identity",
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
  "rp-filter",
  "uplink",
  "accept-ra",
  "forward-policy",
  "input-policy",
  "nat-rule",
  "conntrack",
  "conflicts",
  "network-managers",
];

/** Packets sent through the real path. */
export const probe: Check = {
  id: "probe",
  title: "A ping comes back through the whole path",
  hop: "target",
  needs: [],
  looksAt:
    "Pings, small and large, and a TCP connection to --target through the prefix, from a client in a network namespace of its own. nftables counts them before and behind every hook on the way (without nft: the counters of translator and overlay device); where a firewall has dropped one, the next is traced, and of one that was lost between two hooks the kernel says its route and its IPsec policies. Without --target: the far yggdrasil node, or the overlay's next hop, and of the path through the prefix the way out of this machine.",
  why:
    "Everything may look right and still be lost on the way. The counters tell where, the trace tells by whose rule.",
  cure:
    "Mend what the other checks name. When only the probe fails, the far end is next: does it know the way back to this machine's overlay address?",
  run: (input, others) => {
    const { probe } = input;
    if (!probe) return { verdict: "skip", found: "not sent" };
    if (!probe.ran) return { verdict: "skip", found: probe.reason };
    const evidence = evidenceOf(probe);
    const at = lostAt(probe, input);
    if (!at) return { ...arrived(probe), evidence };
    // What the probe's own client lost says nothing about the gateway.
    if (at.in === "client") return { verdict: "unknown", found: `${at.what} lost ${at.where}`, evidence };
    const cause = causeOf(others, at.in);
    if (cause) {
      return {
        verdict: "skip",
        found: `${at.what} lost ${at.where}, which ${cause} explains`,
        hop: at.hop,
        evidence,
      };
    }
    return { ...lost(probe, at), evidence };
  },
};

/** What was counted behind these stations was not lost at them. */
const PASSED = new Set([
  ...["translator-service", "translator-device", "pool", "pool-route", "prefix-route"],
  ...["forwarding-sysctl", "uplink", "accept-ra"],
]);

/** A fault that lets packets pass explains no loss, but for a full disk of which a service has died. */
function causeOf(others: Others, place: LossPlace | undefined): string | undefined {
  const fails = (id: string) => others(id).verdict === "fail" && !(place === "beyond" && PASSED.has(id));
  const found = CAUSES.find((id) => fails(id) && !others(id).carries);
  const dead = ["overlay-service", "translator-service"].some((id) => others(id).verdict === "skip");
  return found ?? (dead && fails("disk") ? "disk" : undefined);
}

function evidenceOf({ command, output, through }: Probed): Evidence[] {
  const { small, tcp } = through?.flows ?? {};
  return [
    { command, output },
    ...(small && small.command !== command ? [{ command: small.command, output: small.output }] : []),
    ...(tcp ? [{ command: tcp.command, output: tcp.output }] : []),
    ...(through?.route ? [through.route] : []),
    ...(through?.ipsec ? [through.ipsec] : []),
    ...(through?.dropped ? [traceEvidence(through.dropped)] : []),
  ];
}

const traceEvidence = ({ table, chain, rule }: Dropped): Evidence => ({
  command: [Program.nft, "monitor", "trace"],
  output: `${table} ${chain} ${rule === undefined ? "policy drop" : `rule ${rule}`}`,
});

interface LostAt extends Place {
  /** "no answer from 10.1.0.3;" */
  what: string;
  /** Missing where nothing but the devices' counters tell. */
  in?: LossPlace;
}

/** @returns undefined when nothing was lost that this check speaks for: large packets are path-mtu's */
function lostAt(probe: Probed, { survey, blueprint }: CheckInput): LostAt | undefined {
  const { through } = probe;
  const { uplink } = blueprint.facts;
  const place = (flow: FlowName): (Place & { in: LossPlace }) | undefined => {
    const loss = through && lossOf(through, flow);
    return loss && { ...placeOf(loss, through, survey, uplink.name), in: loss.in };
  };
  const certain = probe.kind !== "guess";
  if (certain && probe.received === 0) {
    const what = `no answer from ${probe.target};`;
    const at = probe.kind === "overlay" ? undefined : place("small");
    const alone = blueprint.config.overlay.type === "yggdrasil" && survey.overlay?.peers.every((p) => !p.up) === true;
    if (alone && (!at || at.in === "beyond")) return { what, hop: "overlay", where: NO_PEERS };
    return { what, ...withTunnel(at ?? lastSeen(probe), blueprint, probe) };
  }
  if (!through) return undefined;
  // What left this machine may have found nobody, or a host that answers to no connection.
  const small = through.target === probe.target && certain ? undefined : place("small");
  if (small && small.in !== "beyond") return { what: `packets to ${through.target}`, ...small };
  const tcp = small ? undefined : place("tcp");
  // A slow machine may not get to the connection in time.
  if (tcp && tcp.in !== "beyond" && tcp.in !== "client") {
    return { what: `pings pass, TCP to ${through.target} does not;`, ...tcp };
  }
  return undefined;
}

const NO_PEERS = "in the overlay: no other yggdrasil node is connected";

function arrived({ kind, target, sent, received, rtt, through, noClient }: Probed): Outcome {
  const time = rtt === undefined ? "" : `, ${rtt.toFixed(rtt < 10 ? 1 : 0)} ms`;
  const from = noClient ? `; the gateway asked itself: ${noClient}` : "";
  const wayOut = through && through.target !== target
    ? `; packets to ${through.target} leave by ${through.overlay} (the way back: --target IPV4)`
    : "";
  if (kind === "guess" && received === 0) {
    const found = through?.counts
      ? `packets to ${target} leave by ${through.overlay}; nobody answers there, so the way back is not known (--target IPV4)`
      : `no answer from ${target}, which need not be a host: name one with --target IPV4`;
    return { verdict: "skip", found };
  }
  if (received === sent) {
    const connection = through?.flows.tcp?.back && through.target === target ? ", also to TCP" : "";
    return { verdict: "pass", found: `${target} answers${time}${connection}${wayOut}${from}` };
  }
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
function withTunnel<At extends Place>(at: At, { facts }: Blueprint, { overlay }: Probed): At {
  if (at.hop !== "target" || !facts.tunnel || overlay?.rx !== 0) return at;
  return { ...at, where: `${at.where}; has the far end a ${facts.tunnel.kind} tunnel too, and routes back?` };
}

/** With everything around it in order, a translator that lets nothing through is started anew. */
function stuck(device: string): Pick<Outcome, "fix" | "mend"> {
  const step = restart(Unit.translator(device.replace(/^nat64-/, "")));
  return { fix: step.actions.flatMap((a) => a.do === "run" ? [a.argv] : []), mend: { items: [], steps: [step] } };
}

function lost(probe: Probed, { hop, what, where, in: place, cure }: LostAt): Outcome {
  return {
    verdict: "fail",
    found: `${what} lost ${where}`,
    want: probe.kind === "guess" ? `packets that leave by ${probe.through?.overlay}` : `an answer from ${probe.target}`,
    hop,
    ...(cure !== undefined
      ? { fix: cure }
      : (place ?? hop) === "translator" && probe.translator
      ? stuck(probe.translator.device)
      : {}),
  };
}
