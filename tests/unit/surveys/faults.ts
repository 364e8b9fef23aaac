/** Faults as they change a survey, each with the check that has to name it. */

import type { Fault } from "./fault.ts";
import { FIREWALL_FAULTS } from "./firewall_faults.ts";
import { HOST_FAULTS } from "./host_faults.ts";
import { OVERLAY_FAULTS } from "./overlay_faults.ts";
import { TRANSLATOR_FAULTS } from "./translator_faults.ts";
import { TUNNEL_FAULTS } from "./tunnel_faults.ts";

export const FAULTS: Fault[] = [
  ...OVERLAY_FAULTS,
  ...TUNNEL_FAULTS,
  ...TRANSLATOR_FAULTS,
  ...FIREWALL_FAULTS,
  ...HOST_FAULTS,
];
