/** What a fake program says. */

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

export const ok = (stdout = ""): Answer => ({ code: 0, stdout, stderr: "" });
export const refused = (stderr: string, code = 2): Answer => ({ code, stdout: "", stderr });

/** Thrown inside a fake program to refuse from any depth. */
export class Refusal extends Error {
  constructor(message: string, readonly code = 2) {
    super(message);
  }
}
