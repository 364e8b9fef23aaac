/** Commands that look at the whole machine. What asks it ahead (ahead.ts) is loaded for these alone. */
export const LOOKING: readonly string[] = ["doctor", "status", "up", "down"];
