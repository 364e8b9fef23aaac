import { Program } from "../gateway/action.ts";
import { daemonPath } from "../gateway/daemon.ts";
import { Unit } from "../gateway/names.ts";
import { see } from "../gateway/see.ts";
import { isUnread, linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput } from "./check.ts";
import { itemsOn } from "./device.ts";
import { unitEvidence } from "./evidence.ts";
import { itemsOf } from "./owner.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { serviceProblems } from "./service_problems.ts";

/** The units that make and hold the overlay's side. */
export const overlayService: Check = {
  id: "overlay-service",
  title: "The overlay's services run, and start at boot",
  hop: "overlay",
  needs: [],
  looksAt:
    "systemd's state of crxn-overlay.service; for a yggdrasil overlay yggdrasil.service, and whether the daemon answers; for an existing link crxn-link.service, which puts address and routes on it whenever it comes up. Whether their processes run, or were frozen or stopped; drop-ins of others, and the last log lines of one that does not run.",
  why: "Without them there is no way to the overlay, now or after the next boot.",
  cure: "`systemctl start UNIT`, `systemctl enable UNIT`; `journalctl -u UNIT` says why a unit ends.",
  run: (input, others) => {
    const causes = ["packages", "tun-device", "disk"];
    const services = itemsOf("overlay-service", input.blueprint).flatMap((item) => {
      const problems = serviceProblems([item], input, others, causes);
      if (item.kind !== "service") return problems;
      if (item.unit === Unit.link) return problems.map((p) => unattended(p, input));
      return item.unit === Unit.yggdrasil ? problems.map((p) => withoutProgram(p, input)) : problems;
    });
    return outcomeOf([...services, ...(services.length > 0 ? [] : deaf(input))], input);
  },
};

/** Without its follower a link works until it is made anew, or was. */
function unattended(problem: Problem, { blueprint, survey }: CheckInput): Problem {
  const name = blueprint.overlayDevice;
  const lacking = itemsOn(name, blueprint).filter((i) => see(i, survey).is !== "present");
  return {
    ...problem,
    found: `${problem.found}; nothing puts address and routes on ${name} when it comes up`,
    ...(lacking.length === 0 ? { carries: true } : {}),
    // They cannot be put on a link that is not there, or not up.
    ...(problem.items && linkOf(survey, name)?.up ? { items: [...problem.items, ...lacking] } : {}),
  };
}

/** A daemon of the operator's own that is gone: the unit's state alone would not tell. */
function withoutProgram(problem: Problem, { blueprint, survey }: CheckInput): Problem {
  const { overlay } = blueprint.config;
  const path = overlay.type === "yggdrasil" ? daemonPath(overlay.daemon) : undefined;
  if (path === undefined || survey.programs?.[path] !== null) return problem;
  return { ...problem, found: `${problem.found}: there is no ${path}`, want: `${path}, which overlay.daemon names` };
}

/** A daemon that runs and does not answer on its own socket is stuck. */
function deaf({ survey, blueprint }: CheckInput): Problem[] {
  if (blueprint.config.overlay.type !== "yggdrasil" || survey.overlay) return [];
  const unit = Unit.yggdrasil;
  if (!survey.root) return [{ found: "yggdrasil answers root only", verdict: "unknown" }];
  if (isUnread(survey, "overlay")) return [{ found: "yggdrasilctl cannot be run", verdict: "unknown" }];
  const restart = [Program.systemctl, "restart", unit];
  return [{
    found: `${unit} is active, but the daemon does not answer yggdrasilctl`,
    want: "an answer within 15 s",
    steps: [{ title: `restart ${unit}`, actions: [{ do: "run", argv: restart }] }],
    evidence: [unitEvidence(unit, survey)],
  }];
}
