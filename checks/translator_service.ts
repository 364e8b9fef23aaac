import type { Check } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { otherTaygas, strayTaygas } from "./rivals.ts";
import { serviceProblems } from "./service_problems.ts";

/** tayga, and the rules it requires. */
export const translatorService: Check = {
  id: "translator-service",
  title: "The translator runs, and starts at boot",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "systemd's state of tayga@INSTANCE.service and of crxn-firewall.service, which it requires; whether its process runs, or was frozen or stopped; drop-ins of others, and its last log lines when it does not run.",
  why:
    "tayga translates every packet between IPv6 and IPv4. It does not start without the rules that guard the machine.",
  cure: "`systemctl start UNIT`, `systemctl enable UNIT`; `journalctl -u UNIT` says why a unit ends.",
  run: (input, others) => {
    // Of all that conflicts speaks of, only another tayga keeps this one from its device.
    const rivals = [
      ...itemProblems(itemsOf("conflicts", input.blueprint), input),
      ...otherTaygas(input),
      ...strayTaygas(input),
    ];
    const causes = [
      ...["packages", "tun-device", "translator-config"],
      ...(rivals.length > 0 ? ["conflicts"] : []),
      "disk",
    ];
    return outcomeOf(serviceProblems(itemsOf("translator-service", input.blueprint), input, others, causes), input);
  },
};
