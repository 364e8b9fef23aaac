/** Whether a command of the docs did what they show: by its output, and by its exit code. */

import { patternOf } from "./match.ts";

/** A command, and what the docs show that it prints; "" is nothing in particular. */
export interface Turn {
  command: string;
  prints: string;
  /** The exit code, where what is shown does not tell it. */
  exit?: number;
}

/** What goes on for ever is ended as a person does. */
export const isEndless = ({ command }: Turn): boolean => /--(follow|watch)\b/.test(command);

const shownBy = (prints: string): string => prints.split("\n").filter((line) => line.trim() !== "").join("\n");

/** Which exit codes are right. An error shows itself as one; a plan has its own code where there is something to do. */
function fits(turn: Turn, code: number): boolean {
  if (turn.exit !== undefined) return code === turn.exit;
  if (shownBy(turn.prints).startsWith("crxn: ")) return code !== 0 && code !== 2;
  return [
    0,
    ...(turn.command.includes("--dry-run") ? [2] : []),
    ...(isEndless(turn) ? [124, 130] : []),
  ].includes(code);
}

/** @returns undefined when all is as the docs say */
export function faultOf(turn: Turn, ended: { code: number; text: string }): string | undefined {
  const shown = shownBy(turn.prints);
  if (!fits(turn, ended.code)) return `ended with ${ended.code}: ${ended.text}`;
  if (shown === "" || patternOf(shown).test(ended.text)) return undefined;
  return `--- the docs show\n${shown}\n--- it printed\n${ended.text}`;
}
