import type { Check } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { outcomeOf } from "./problem.ts";
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
    const causes = ["packages", "tun-device", "translator-config", "conflicts", "disk"];
    return outcomeOf(serviceProblems(itemsOf("translator-service", input.blueprint), input, others, causes), input);
  },
};
