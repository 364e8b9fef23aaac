/** What a question of `crxn init` is. */

import type { Answers } from "./answers.ts";
import type { Proposal, Terrain } from "./terrain.ts";

export interface Question {
  key: string;
  /** How it is answered on the command line. */
  option: string;
  /** One line. */
  text: string;
  /** Two or three lines for who answers "?". */
  help: string;
  /** Whether "none" is an answer. */
  optional?: boolean;
  /** The machine's proposals, the likeliest first. */
  proposals: Proposal[];
  /** The first proposal is beyond doubt, or a default that fits: nobody is asked. */
  certain?: boolean;
  /**
   * Canonical values of what was typed.
   * @throws Fault that says what is wrong, and what would be right
   */
  read(text: string): string[];
  /** What is good to know of an answer that was taken. */
  remark?(values: string[]): string | undefined;
}

/** A question as it is put on this machine, after those answers, or several of a sort; undefined where it has no place. */
export type Asking = (answers: Answers, terrain: Terrain) => Question | Question[] | undefined;
