/** What a check is: one question put to a blueprint and a survey. Pure data and types; `run.ts` asks, `list.ts` orders. */

import type { Blueprint } from "../gateway/blueprint.ts";
import type { Step } from "../gateway/step.ts";
import type { Item } from "../gateway/item.ts";
import type { Journal } from "../gateway/journal.ts";
import type { HostSeen } from "../gateway/host.ts";
import type { Survey } from "../gateway/survey.ts";
import type { RouteAnswer } from "./flow.ts";
import type { Arrival, LegSize, ProbeResult, Reach } from "./probe_result.ts";

/** `unknown`: could not tell, which is not "bad". `skip`: not asked, with the reason. */
export type Verdict = "pass" | "warn" | "fail" | "skip" | "unknown";

/** The stations of the path from an IPv6 client to an overlay host, in order. */
export const HOPS = ["uplink", "translator", "forward", "overlay", "target"] as const;
export type Hop = typeof HOPS[number];

/** A program's call and what it said (or what the survey has of it). */
export interface Evidence {
  command: string[];
  output: string;
}

/** Something met while the blueprint was computed: it belongs to a check, and the rest can still be looked at. */
export interface Trouble {
  check: string;
  verdict: "fail" | "unknown";
  found: string;
  want?: string;
}

export interface CheckInput {
  blueprint: Blueprint;
  survey: Survey;
  /** The machine around the gateway. Missing when it was not asked about. */
  host?: HostSeen;
  /** Missing when it could not be read. */
  journal?: Journal;
  /** What the kernel answers for each packet of `legsOf`. Missing when it was not asked. */
  answers?: RouteAnswer[];
  /** Missing when no probe was wanted. */
  probe?: ProbeResult;
  /** What size passes on each leg. Missing when it was not measured. */
  legs?: LegSize[];
  /** Whether the provider sends packets for the routed network here. Missing when nothing could be sent. */
  arrival?: Arrival;
  /** The far nodes, asked together with the probe. */
  reach?: Reach[];
  /** What the overlay daemon has said since its start. Missing when it may not be read. */
  daemonLog?: string[];
  troubles: Trouble[];
}

/** What `--fix` does about a finding: items of the blueprint made anew, and steps that no item stands for. */
export interface Mend {
  items: Item[];
  steps: Step[];
}

export interface Outcome {
  verdict: Verdict;
  found?: string;
  want?: string;
  /** Commands that mend it, each an argv. */
  fix?: string[][];
  evidence?: Evidence[];
  mend?: Mend;
  /** Where it is, when the outcome knows better than the check. */
  hop?: Hop;
  /** Set for a fault that lets packets pass: it shows at the next boot, or on another occasion. */
  carries?: true;
}

/** What another check came to; asked for by id. */
export type Others = (id: string) => Outcome;

export interface Check {
  /** A stable name in kebab case. */
  id: string;
  /** What is true when it passes. */
  title: string;
  /** The station of the path it is about; undefined when it is about none. */
  hop: Hop | undefined;
  /** Whom it is for: `gateway` is skipped on an overlay node, `yggdrasil` where the overlay is an existing link. */
  only?: "gateway" | "yggdrasil";
  /** It depends on the rest of the machine, so that `up` can ask it before anything is made. */
  early?: true;
  /** Ids of checks whose failure makes this one a skip. */
  needs: string[];
  looksAt: string;
  why: string;
  /** How to mend it, in words. */
  cure: string;
  run(input: CheckInput, others: Others): Outcome;
}

/** A check with what it came to. */
export interface Finding extends Outcome {
  id: string;
  title: string;
  why: string;
}
