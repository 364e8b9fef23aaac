import { Unit } from "../gateway/names.ts";
import type { Check, CheckInput } from "./check.ts";
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
    "systemd's state of crxn-overlay.service and, for a yggdrasil overlay, yggdrasil.service; whether the daemon answers.",
  why: "Without them there is no way to the overlay, now or after the next boot.",
  cure: "`systemctl start UNIT`, `systemctl enable UNIT`; `journalctl -u UNIT` says why a unit ends.",
  run: (input, others) => {
    const services = serviceProblems(itemsOf("overlay-service", input.blueprint), input, others, [
      "packages",
      "tun-device",
    ]);
    return outcomeOf([...services, ...(services.length > 0 ? [] : deaf(input))], input);
  },
};

/** A daemon that runs and does not answer on its own socket is stuck. */
function deaf({ survey, blueprint }: CheckInput): Problem[] {
  if (blueprint.config.overlay.type !== "yggdrasil" || survey.overlay) return [];
  const unit = Unit.yggdrasil;
  if (!survey.root) return [{ found: "yggdrasil answers root only", verdict: "unknown" }];
  const restart = ["/usr/bin/systemctl", "restart", unit];
  return [{
    found: `${unit} is active, but the daemon does not answer yggdrasilctl`,
    want: "an answer within 15 s",
    steps: [{ title: `restart ${unit}`, actions: [{ do: "run", argv: restart }] }],
    evidence: [unitEvidence(unit, survey)],
  }];
}
