/** What can be said of an item on a machine. */

/** `differs`: there, but not as it should be. `foreign`: its place is taken by something that is not ours. */
export type State =
  | { is: "present" }
  | { is: "absent" }
  | { is: "differs"; how: string }
  | { is: "foreign"; how: string }
  | { is: "unknown"; how: string };

export const present: State = { is: "present" };
export const absent: State = { is: "absent" };
export const differs = (how: string): State => ({ is: "differs", how });
