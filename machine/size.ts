/** How large this machine is, for `nat64.workers: auto`. */

import type { MachineSize } from "../gateway/workers.ts";

/** The cores that this process may use, as cgroups and affinity have it, and all memory. */
export const machineSize = (): MachineSize => ({
  cores: navigator.hardwareConcurrency,
  memory: Math.floor(Deno.systemMemoryInfo().total / 2 ** 20),
});
