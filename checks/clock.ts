import type { Check } from "./check.ts";
import { outcomeOf } from "./problem.ts";

/** Milliseconds by which a file may be dated ahead: file systems and time zones of images. */
const SLACK = 24 * 3600_000;

/** Nobody runs this on a machine of an earlier time than the program itself was written. */
const OLDEST = Date.UTC(2025, 0, 1);

/** The time of day. */
export const clock: Check = {
  id: "clock",
  title: "The clock is not behind",
  hop: undefined,
  early: true,
  needs: [],
  looksAt:
    "The machine's time against the dates of its own files: dpkg's list of packages, the clock file of systemd-timesyncd, crxn's journal. Nothing outside the machine is asked.",
  why:
    "A clock that is days behind makes certificates not valid yet, so that apt and downloads fail, and files seem to come from the future: a daemon that was started just now looks older than its config. yggdrasil's peers do not mind.",
  cure: "`timedatectl set-time 'YYYY-MM-DD HH:MM:SS'`, then a time service such as systemd-timesyncd or chrony.",
  run: (input) => {
    const { host } = input;
    if (!host) return { verdict: "skip", found: "not read" };
    const { now, latest } = host;
    const day = (at: number) => new Date(at).toISOString().slice(0, 16).replace("T", " ") + " UTC";
    const behind = latest && latest.at > now + SLACK ? `${latest.what} is of ${day(latest.at)}` : undefined;
    if (behind === undefined && now >= OLDEST) return { verdict: "pass", found: day(now) };
    return outcomeOf([{
      found: `the clock says ${day(now)}, ${behind ? `but ${behind}` : "long before this program was written"}`,
      want: "the right time",
      verdict: "fail",
      fix: [["/usr/bin/timedatectl", "set-ntp", "true"]],
      evidence: [{ command: ["/usr/bin/date", "-u"], output: day(now) }],
      carries: true,
    }], input);
  },
};
