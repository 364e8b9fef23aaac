/** Units of upkeep, by name. Pure. */

import { Unit } from "./names.ts";

/** Units of upkeep that the config wants, timers and what they start. */
export const upkeepUnits = ({ mend, metrics }: { mend?: unknown; metrics?: unknown } = {}): string[] => [
  ...(mend ? [Unit.mendTimer, Unit.mend] : []),
  ...(metrics ? [Unit.metricsTimer, Unit.metrics] : []),
];

/** Whether the unit, or its file, is of upkeep. */
export const isUpkeep = (unit: string): boolean => upkeepUnits({ mend: 1, metrics: 1 }).includes(unit);
