import type { Blueprint } from "../gateway/blueprint.ts";
import { mssOf } from "../gateway/firewall.ts";
import { Program } from "../gateway/action.ts";
import type { Check, CheckInput } from "./check.ts";
import { lossOf } from "./probe_loss.ts";
import type { LegSize } from "./probe_result.ts";
import { placeOf } from "./probe_words.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** The measured size of packets on each leg. */
export const pathMtu: Check = {
  id: "path-mtu",
  title: "Large packets pass on each leg of the path",
  hop: "forward",
  needs: [],
  looksAt:
    "Pings as large as the links, not to be fragmented: to the IPv6 router, over the overlay to --target (over yggdrasil also to the far node), and from the probe's client through the whole path. Where they do not come back, smaller ones, until the size that passes is known. All against the size to which TCP is held (mss-clamp).",
  why:
    "A leg that swallows large packets without an ICMP error lets pings through and stops every transfer of more than the clamp allows for.",
  cure:
    "Lower the MTU of the leg's device to what passes, then `crxn up`: the clamp follows. Or set `nat64.mss` in crxn.yaml.",
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

const NAMES: Record<LegSize["leg"], string> = {
  client: "to the IPv6 router",
  overlay: "over the overlay",
  underlay: "over yggdrasil",
  whole: "from client to target",
};

const fine = ({ leg, passes, full }: LegSize): string =>
  `${passes} bytes${passes === full ? " whole" : ""} ${NAMES[leg]}`;

const nobody = (legs: LegSize[]): string =>
  legs.length === 0
    ? "no host to send large packets to: name one with --target IPV4"
    : `nobody answers: ${legs.map((l) => l.to).join(", ")}`;

/** An ICMP error says what passes, and that is true: the sender learns it. */
const isTold = ({ told, passes }: LegSize): boolean => told !== undefined && passes !== undefined && passes >= told;

function problemOf(leg: LegSize, input: CheckInput): Problem {
  const { blueprint } = input;
  const { device, to, full, passes, command, output } = leg;
  const by = whose(leg, input);
  const found = `${
    NAMES[leg.leg]
  } (${device}, to ${to}) packets of ${passes} bytes pass, larger ones up to the link's ${full} ${
    isTold(leg) ? "are refused with an ICMP error" : "vanish without an ICMP error"
  }${by ? `: ${by}` : ""}`;
  const clamp = clampOn(leg, blueprint);
  const mtu = mtuFor(leg, blueprint);
  const evidence = [{ command, output }];
  const want = `an MTU of ${mtu} on ${deviceOf(leg, blueprint)}`;
  const fix = [[Program.ip, "link", "set", "dev", deviceOf(leg, blueprint), "mtu", String(mtu)], ["crxn", "up"]];
  if (clamp !== undefined && clamp <= passes!) {
    return {
      verdict: "warn",
      found: `${found}; TCP is held to ${clamp} and passes`,
      want,
      fix,
      evidence,
    };
  }
  const tcp = clamp === undefined ? "TCP is not held to any size" : `TCP is held to ${clamp} only`;
  if (isTold(leg)) return { verdict: "warn", found: `${found}; ${tcp}`, want, fix, evidence };
  return {
    found: `${found}; ${tcp}`,
    want: `${want}, or nat64.mss: ${mssFor(leg)} in crxn.yaml`,
    fix,
    evidence,
    // Small packets pass.
    carries: true,
  };
}

/** A firewall on this machine that takes large packets has a name. */
function whose(leg: LegSize, { probe, survey, blueprint }: CheckInput): string | undefined {
  const through = probe?.ran ? probe.through : undefined;
  const loss = through && lossOf(through, "large");
  if (!loss || loss.in !== "hook" || leg.leg === "client" || leg.leg === "underlay") return undefined;
  return placeOf(loss, through, survey, blueprint.facts.uplink.name).where;
}

/** The largest packet of TCP on that leg, by the clamp: IPv4's header has 20 bytes, IPv6's 40, TCP's 20. */
function clampOn({ leg, device }: LegSize, { config, facts }: Blueprint): number | undefined {
  const mss = mssOf(config, facts);
  if (mss === undefined) return undefined;
  return leg === "overlay" ? mss + 40 : leg === "underlay" ? mss + 40 + wrapping(device, facts) : mss + 60;
}

const wrapping = (_device: string, { tunnel }: Blueprint["facts"]): number => tunnel?.kind === "ip6gre" ? 44 : 70;

/** What crxn.yaml would have to say. */
const mssFor = ({ leg, passes }: LegSize): number => Math.max(536, passes! - (leg === "overlay" ? 40 : 60));

/** Of the leg's own device; of the whole path and of the underlay the overlay's, which is the one to be set. */
const deviceOf = ({ leg, device }: LegSize, { overlayDevice }: Blueprint): string =>
  leg === "whole" || leg === "underlay" ? overlayDevice : device;

function mtuFor({ leg, device, passes }: LegSize, { facts }: Blueprint): number {
  if (leg === "whole") return passes! - 20;
  return leg === "underlay" ? passes! - wrapping(device, facts) : Math.max(passes!, leg === "client" ? 1280 : 576);
}
