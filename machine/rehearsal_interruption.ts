/** Signals while namespaces are up: they end the rehearsal, and the clean-up still runs. */

import { CrxnError, Exit } from "../gateway/errors.ts";

/**
 * Listens for Ctrl-C, kill and a closed terminal until `end` is called.
 * @returns `signal` is aborted by the first of them; `happened` then resolves with the error to report
 */
export function interruptions(): { signal: AbortSignal; happened: Promise<CrxnError>; end: () => void } {
  const controller = new AbortController();
  let tell: (error: CrxnError) => void;
  const happened = new Promise<CrxnError>((resolve) => tell = resolve);
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) => {
    const handler = () => {
      const error = new CrxnError(Exit.failed, `Interrupted by ${name}.`);
      controller.abort(error);
      tell(error);
    };
    Deno.addSignalListener(name, handler);
    return () => Deno.removeSignalListener(name, handler);
  });
  return { signal: controller.signal, happened, end: () => handlers.forEach((remove) => remove()) };
}
