import type { Check, CheckInput } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** The system and the programs that the gateway consists of. */
export const packages: Check = {
  id: "packages",
  title: "Debian, with the packages that the gateway needs",
  hop: undefined,
  needs: [],
  looksAt: "/etc/os-release, whether systemd runs the machine, and dpkg's list of installed packages.",
  why: "Units, rules and devices are made with these programs, at every boot again.",
  cure: "`crxn install` brings what is missing with apt and starts nothing.",
  run: (input) =>
    outcomeOf([...systemProblems(input), ...itemProblems(itemsOf("packages", input.blueprint), input)], input),
};

function systemProblems({ survey: { os, systemd, packages } }: CheckInput): Problem[] {
  const problems: Problem[] = [];
  if (os.id !== "debian") {
    problems.push({ found: `this is ${os.name || "an unknown system"}`, want: "Debian 12 or newer" });
  } else if (os.version !== "" && Number(os.version) < 12) {
    problems.push({ found: `${os.name} is too old`, want: "Debian 12 or newer" });
  }
  if (!systemd) problems.push({ found: "systemd does not run this machine", want: "systemd as the init system" });
  if (!packages && os.id === "debian") problems.push({ found: "dpkg does not answer", verdict: "unknown" });
  return problems;
}
