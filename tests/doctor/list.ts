/** The matrix: every fault, in the order of the checks that name them. */

import { CHECKS } from "../../checks/list.ts";
import type { Fault } from "./fault.ts";
import { DEVICE_FAULTS } from "./faults/devices.ts";
import { FILE_FAULTS } from "./faults/files.ts";
import { IPTABLES_FAULTS } from "./faults/firewall.ts";
import { NFTABLES_FAULTS } from "./faults/nftables.ts";
import { PATH_FAULTS } from "./faults/path.ts";
import { ROUTE_FAULTS } from "./faults/routes.ts";
import { SERVICE_FAULTS } from "./faults/services.ts";
import { SYSCTL_FAULTS } from "./faults/sysctls.ts";
import { YGGDRASIL_FAULTS } from "./faults/yggdrasil.ts";

/** A check that does not exist yet comes last. */
const rank = ({ id }: Fault) =>
  (CHECKS.findIndex((check) => check.id === id) + CHECKS.length + 1) % (CHECKS.length + 1);

export const FAULTS: readonly Fault[] = [
  ...SERVICE_FAULTS,
  ...FILE_FAULTS,
  ...SYSCTL_FAULTS,
  ...ROUTE_FAULTS,
  ...IPTABLES_FAULTS,
  ...NFTABLES_FAULTS,
  ...DEVICE_FAULTS,
  ...PATH_FAULTS,
  ...YGGDRASIL_FAULTS,
].sort((a, b) => rank(a) - rank(b));
