import type { Blueprint } from "../gateway/blueprint.ts";
import { Program } from "../gateway/action.ts";
import type { Check, CheckInput } from "./check.ts";
import { lossOf } from "./probe_loss.ts";
import type { LegSize } from "./probe_result.ts";
import { headersOf, LEG_NAMES, mssOf, SMALLEST_MTU } from "../gateway/segments.ts";
import { hindrance, placeOf } from "./probe_words.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** The measured size of packets on each leg. */
export const pathMtu: Check = {
  id: "path-mtu",
  title: "Large packets pass on each leg of the path",
  hop: "forward",
  // With a full table packets of any size are lost, now and then.
  needs: ["conntrack"],
  looksAt:
    "Pings as large as the links, not to be fragmented: to the IPv6 router, over the overlay to --target (over yggdrasil also to the far node), and from the probe's client through the whole path. Where they do not come back, smaller ones, until the size that passes is known. All against the size to which TCP is held (mss-clamp).",
  why:
    "A leg that swallows large packets without an ICMP error lets pings through and stops every transfer of more than the clamp allows for.",
  cure:
    "Lower the MTU of the leg's device to what passes, then `crxn up`: the clamp follows. Or `crxn up --target IPV4`: with `nat64.mss: auto` it measures what passes, and holds TCP to that. Or set `nat64.mss` in crxn.yaml.",
  run: (input) => {
    const { legs } = input;
    if (!legs) return { verdict: "skip", found: "not measured" };
    // A leg on which nobody answers at all is not about sizes.
    const measured = legs.filter((l) => l.passes !== undefined);
    if (measured.length === 0) return { verdict: "skip", found: nobody(legs) };
    const narrow = measured.filter((l) => l.passes! < l.full && !(l.leg === "whole" && isTold(l)));
    // The whole path is no more than its legs: with one of those named, it says nothing new.
    const named = narrow.some((l) => l.leg !== "whole") ? narrow.filter((l) => l.leg !== "whole") : narrow;
    const problems = named.map((leg) => problemOf(leg, input));
    return outcomeOf(problems, input, measured.map(fine).join(", "));
  },
};

const fine = ({ leg, passes, full }: LegSize): string =>
  `${passes} bytes${passes === full ? " whole" : ""} ${LEG_NAMES[leg]}`;

const nobody = (legs: LegSize[]): string =>
  legs.length === 0
    ? "no host to send large packets to: name one with --target IPV4"
    : `nobody answers: ${legs.map((l) => l.to).join(", ")}`;

/** An ICMP error says what passes, and that is true: the sender learns it. */
const isTold = ({ told, passes }: LegSize): boolean => told !== undefined && passes !== undefined && passes >= told;

const where = ({ leg, device, to }: LegSize): string => `${LEG_NAMES[leg]} (${device}, to ${to})`;

/** Who takes all but the smallest goes by something else than an MTU, and lowering one would not help. */
function bySize(leg: LegSize, { blueprint, survey }: CheckInput): Problem {
  const device = leg.leg === "whole" ? blueprint.overlayDevice : leg.device;
  const held = hindrance(device, survey);
  const sizes = `packets of ${leg.passes} bytes pass, but none of ${SMALLEST_MTU} to ${leg.full}`;
  return {
    verdict: "fail",
    found: `${where(leg)} ${sizes}, which is no MTU: something takes them by their size${held ? `; ${held.why}` : ""}`,
    want: held
      ? `nothing on ${device} that holds large packets back`
      : `no shaper and no rule that holds large packets back: \`tc -s qdisc show dev ${device}\`, \`nft list ruleset\`, and the same on the far side`,
    ...(held ? { fix: held.cure } : {}),
    ...onlySmall(leg),
  };
}

/** Small packets pass. */
const onlySmall = ({ command, output }: LegSize): Pick<Problem, "evidence" | "carries"> => ({
  evidence: [{ command, output }],
  carries: true,
});

function problemOf(leg: LegSize, input: CheckInput): Problem {
  const { full, passes = 0 } = leg;
  if (passes < SMALLEST_MTU && !isTold(leg)) return bySize(leg, input);
  const { blueprint } = input;
  const by = whose(leg, input);
  const how = isTold(leg) ? "are refused with an ICMP error" : "vanish without an ICMP error";
  const found = `${where(leg)} packets of ${passes} bytes pass, larger ones up to the link's ${full} ${how}${
    by ? `: ${by}` : ""
  }`;
  const mss = mssOf(blueprint.config, blueprint.facts);
  const fits = mss !== undefined && mss <= mssFor(leg, blueprint);
  const tcp = mss === undefined
    ? "TCP is not held to any size"
    : fits
    ? `TCP is held to segments of ${mss}, which pass`
    : `TCP is held to segments of ${mss} only`;
  return {
    verdict: fits || isTold(leg) ? "warn" : "fail",
    found: `${found}; ${tcp}`,
    ...cure(leg, blueprint),
    ...onlySmall(leg),
  };
}

/** A firewall on this machine that takes large packets has a name. */
function whose(leg: LegSize, { probe, survey, blueprint }: CheckInput): string | undefined {
  const through = probe?.ran ? probe.through : undefined;
  const loss = through && lossOf(through, "large");
  if (!loss || loss.in !== "hook" || leg.leg === "client" || leg.leg === "underlay") return undefined;
  return placeOf(loss, through, survey, blueprint.facts.uplink.name).where;
}

/** What is left for TCP's data of a packet that passes. */
const mssFor = ({ leg, passes = 0 }: LegSize, { facts }: Blueprint): number =>
  Math.max(536, passes - headersOf(leg, facts));

/** A tunnel of ours keeps its MTU, which the far end knows as well; an existing link and the uplink have their owner's. */
function cure(leg: LegSize, blueprint: Blueprint): Pick<Problem, "want" | "fix"> {
  const auto = blueprint.config.nat64?.mss === "auto" && leg.leg !== "whole";
  const setting = auto
    ? `\`crxn up --target ${leg.leg === "overlay" ? leg.to : "IPV4"}\`, which measures again and holds TCP to ${
      mssFor(leg, blueprint)
    } bytes`
    : `nat64.mss: ${mssFor(leg, blueprint)} in crxn.yaml, and \`crxn up\``;
  if (leg.leg === "underlay" || (leg.leg !== "client" && blueprint.config.overlay.type === "yggdrasil")) {
    return { want: setting };
  }
  const device = leg.leg === "whole" ? blueprint.overlayDevice : leg.device;
  // IPv6 demands 1280 (RFC 8200, 5); of the whole path the IPv4 part is 20 bytes shorter.
  const mtu = leg.leg === "client" ? Math.max(1280, leg.passes!) : leg.leg === "whole" ? leg.passes! - 20 : leg.passes!;
  return {
    want: `an MTU of ${mtu} on ${device}, or ${setting}`,
    fix: [[Program.ip, "link", "set", "dev", device, "mtu", String(mtu)], ["crxn", "up", "--yes"]],
  };
}
