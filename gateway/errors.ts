/** Exit codes of the command line: the contract of docs/contract.md, after sysexits(3) where one fits. */
export const Exit = {
  ok: 0,
  failed: 1,
  changes: 2,
  notUp: 3,
  usage: 64,
  unavailable: 69,
  bug: 70,
  busy: 75,
  noPermission: 77,
  config: 78,
  /** Ctrl-C at a question, as a shell counts SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = typeof Exit[keyof typeof Exit];

/**
 * A mistake or misfortune that its reader can act on: what happened, what to do about it, and the exit code it ends with.
 * Everything else that is thrown is a bug in crxn (exit code 70).
 */
export class CrxnError extends Error {
  override name = "CrxnError";
  constructor(
    readonly exit: ExitCode,
    message: string,
    readonly remedy?: string,
    /** Further lines for the reader (a program's output, a unit's log), and data for `--json`. */
    readonly detail?: { text?: string; json?: Record<string, unknown> },
  ) {
    super(message);
  }
}
