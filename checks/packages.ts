import type { Check, CheckInput } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";

/** The system and the programs that the gateway consists of. */
export const packages: Check = {
  id: "packages",
  title: "Debian, with the packages that the gateway needs",
  hop: undefined,
  needs: [],
  looksAt:
    "/etc/os-release, whether systemd runs the machine, dpkg's list of installed packages, and the sum of a daemon that crxn fetched.",
  why: "Units, rules and devices are made with these programs, at every boot again.",
  cure: "`crxn install` brings what is missing, with apt and by overlay.daemon.url, and starts nothing.",
  run: (input) => outcomeOf([...systemProblems(input), ...ownProblems(input)], input),
};

/** Together with a program goes the service that runs it: it has to start the right one. */
function ownProblems(input: CheckInput): Problem[] {
  return itemProblems(itemsOf("packages", input.blueprint), input).map((problem) => {
    const paths = problem.items?.flatMap((i) => i.kind === "program" ? [i.path] : []) ?? [];
    const services = input.blueprint.items.filter((i) => i.kind === "service" && paths.includes(i.program ?? ""));
    return services.length > 0 ? { ...problem, items: [...problem.items ?? [], ...services] } : problem;
  });
}

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
