import type { Check } from "./check.ts";
import { outcomeOf } from "./problem.ts";

/** The kernel's TUN driver. */
export const tunDevice: Check = {
  id: "tun-device",
  title: "The kernel makes TUN devices",
  hop: "translator",
  early: true,
  needs: [],
  looksAt: "Whether /dev/net/tun is there.",
  why: "tayga and yggdrasil are programs: they get their packets from the kernel through a TUN device.",
  cure: "`modprobe tun`. In a container, its host has to pass the device in.",
  run: (input) => {
    const needed = input.blueprint.items.some((i) =>
      i.kind === "link" && (i.spec.type === "tun" || i.spec.type === "translator")
    );
    if (!needed) return { verdict: "skip", found: "nothing here needs one" };
    if (input.survey.tun) return outcomeOf([], input);
    const holders = input.blueprint.items.flatMap((i) => i.kind === "link" && i.holder ? [i.holder] : []);
    // Who has opened it already keeps it.
    const later = holders.length > 0 && holders.every((unit) => input.survey.units[unit]?.active === "active");
    // A node has no translator on its path.
    const hop = input.blueprint.config.nat64 ? {} : { hop: "overlay" as const };
    const outcome = outcomeOf([{
      found: `there is no /dev/net/tun${later ? "; what runs already does not need it before its next start" : ""}`,
      want: "the device node, and the driver behind it",
      fix: [["/usr/sbin/modprobe", "tun"]],
      ...(later ? { carries: true as const } : {}),
    }], input);
    return { ...outcome, ...hop };
  },
};
