/** Where the yggdrasil daemon of a config is on the machine. Pure. */

import type { Overlay } from "./config/types.ts";

type Daemon = Extract<Overlay, { type: "yggdrasil" }>["daemon"];

/** The path itself. */
export const daemonPath = (daemon: Daemon): string => daemon;
