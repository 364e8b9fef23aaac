/** Steps: what is done to a machine, one after the other, as plain data. */

import { type Action, Program, run } from "./action.ts";
import type { Item } from "./item.ts";

export interface Step {
  /** A sentence's start for the plan: "write /etc/tayga/ygg.conf". */
  title: string;
  actions: Action[];
  /** What the step makes or changes: noted in the journal before it runs. */
  item?: Item;
  /** Id of the journal entry that is done with once the step has run. */
  undoes?: string;
  /** The packages it installs. */
  packages?: string[];
  /** The program it fetches and verifies. */
  fetch?: { path: string; url: string; sha256: string };
  /** Path of a fetched program that the journal can forget once the step has run. */
  forgets?: string;
  /** What is there already and is crxn's from now on: noted in the journal as well. */
  notes?: Item[];
  /** For files: what was there and what comes. */
  diff?: { path: string; before: string; after: string; secret: boolean };
  /** What traffic it interrupts. */
  interrupts?: string;
}

export const DAEMON_RELOAD: Step = {
  title: "let systemd read its units again",
  actions: [run([Program.systemctl, "daemon-reload"])],
};

/** What the steps so far have come to, for those that follow. */
export interface Done {
  files: Set<string>;
  /** Units that an earlier step has stopped. */
  stopped: Set<string>;
  /** Devices made anew: what was on them is gone. */
  devices: Set<string>;
}
