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

/** What the system said, and the number of it (errno(3)); undefined of an error that is not its own. */
export function systemWords(error: unknown): { words: string; number: number } | undefined {
  const found = error instanceof Error ? /^(.*?) \(os error (\d+)\)/.exec(error.message) : null;
  return found ? { words: found[1]!.toLowerCase(), number: Number(found[2]) } : undefined;
}

/** ENAMETOOLONG, ELOOP: whatever is there, nobody gets to it by this name. */
export const isNoPath = (error: unknown): boolean => [36, 40].includes(systemWords(error)?.number ?? 0);
