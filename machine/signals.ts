/** Signals while a machine is being changed: none of them leaves a step half done. signal(7). */

import { CrxnError, Exit } from "../gateway/errors.ts";

/** Exit code 1. */
export class Interrupted extends CrxnError {
  constructor(name: string, remedy?: string) {
    super(Exit.failed, `Interrupted by ${name}.`, remedy);
  }
}

type Stop = "SIGINT" | "SIGTERM";

/**
 * Listens until it is disposed of. SIGHUP, which comes when an SSH session is lost, is passed over: what was begun goes on
 * to its end. SIGINT and SIGTERM are kept until the step at work is done.
 */
export class Signals implements Disposable {
  #stop: Stop | undefined;
  readonly #remove: (() => void)[];

  /** @param onStop called for each SIGINT and SIGTERM */
  constructor(onStop: (name: Stop) => void) {
    const listen = (name: Deno.Signal, handler: () => void) => {
      Deno.addSignalListener(name, handler);
      return () => Deno.removeSignalListener(name, handler);
    };
    const stop = (name: Stop) => () => {
      this.#stop ??= name;
      onStop(name);
    };
    this.#remove = [
      listen("SIGHUP", () => {}),
      listen("SIGINT", stop("SIGINT")),
      listen("SIGTERM", stop("SIGTERM")),
    ];
  }

  /**
   * Between two steps.
   * @param remedy what the person can do about what is left
   * @throws Interrupted when one of them came
   */
  check(remedy?: string): void {
    if (this.#stop) throw new Interrupted(this.#stop, remedy);
  }

  [Symbol.dispose](): void {
    for (const remove of this.#remove) remove();
  }
}
