/** IPv6 switched off by sysctl, where a gateway needs it. Pure. */

import type { Blueprint } from "../gateway/blueprint.ts";
import type { CheckInput } from "./check.ts";

/** The devices that carry IPv6: the uplink, tayga's device, and yggdrasil's. */
export function ipv6Devices({ config, facts, workers }: Blueprint): string[] {
  return [
    ...(workers.length > 0 ? [facts.uplink.name, ...workers.map((w) => w.device)] : []),
    ...(config.overlay.type === "yggdrasil" ? [config.overlay.interface] : []),
  ].filter((name) => name !== "lo");
}

/** "all", or the names of those devices that have it off. */
export function disabledIpv6({ blueprint, survey }: CheckInput): string[] {
  const off = (name: string) => survey.sysctls[`net/ipv6/conf/${name}/disable_ipv6`] === "1";
  const devices = ipv6Devices(blueprint).filter(off);
  // Setting `all` sets each device; one may have been switched on again since.
  return off("all") && devices.length > 0 ? ["all"] : devices;
}

/** Why a device can have nothing of IPv6, if so: forwarding-sysctl names it. */
export function withoutIpv6(device: string | undefined, input: CheckInput): string | undefined {
  const off = disabledIpv6(input);
  const found = off.includes("all") ? "all" : off.find((name) => name === device);
  return found && `IPv6 is switched off: net/ipv6/conf/${found}/disable_ipv6 is 1`;
}
