/** The way back that `up` leaves open until it is confirmed: whether there is one, and its beginning and end. */

import { canCut, CONFIRM_SECONDS, type Pending, sessionDevice, shutOut, unfit } from "../gateway/confirm.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Item } from "../gateway/item.ts";
import type { Step } from "../gateway/step.ts";
import { arm, disarm, ownCommand, readPending, startAnew } from "../machine/confirm.ts";
import type { Runner } from "../machine/run.ts";
import { sshSession } from "../machine/session.ts";
import type { Context, Prepared } from "./context.ts";

/** A wish for a way back. */
export interface WayBack {
  seconds: number;
  /** Why, where nobody asked for it. */
  why?: string;
}

/** @throws CrxnError 78 when the config shuts the door that this session came in by, and it is not shut yet */
export async function keepsDoorOpen(runner: Runner, { blueprint, survey }: Prepared, steps: Step[]): Promise<void> {
  const session = steps.length > 0 ? await sshSession(runner) : undefined;
  const shut = session && shutOut(session.server, session.port, blueprint, survey);
  if (!shut) return;
  throw new CrxnError(
    Exit.config,
    `This SSH session comes by ${shut.device}, to port ${
      session!.port
    }, and the config lets nobody in there: it would be the last.`,
    `Write \`${shut.access}\` below \`overlay:\`, or \`access: all\`, or come another way. Nothing was changed.`,
  );
}

/**
 * Asked for, or left open by an earlier `up`, or because the plan could cut the SSH session that it comes from.
 * @param asked `--confirm`: its seconds, or `true` for the usual ones
 * @throws CrxnError 69 when it was asked for, and crxn lies where it may be gone when time is up
 */
export async function wayBack(
  { ui, runner, options }: Context,
  asked: number | true | undefined,
  { blueprint, survey }: Prepared,
  steps: Step[],
): Promise<WayBack | undefined> {
  const earlier = readPending();
  const reason = unfit(ownCommand());
  if (asked !== undefined || earlier) {
    if (reason) {
      throw new CrxnError(
        Exit.unavailable,
        `What takes it back cannot be armed: ${reason}.`,
        "Copy crxn to /usr/local/bin and run it there. Nothing was changed.",
      );
    }
    return { seconds: typeof asked === "number" ? asked : asked ? CONFIRM_SECONDS : earlier!.seconds };
  }
  const session = options.yes || !ui.interactive ? undefined : await sshSession(runner);
  const device = session && canCut(steps) ? sessionDevice(session.server, blueprint, survey) : undefined;
  if (!device) return undefined;
  const why = `This session comes by ${device}, and what will be done could cut it.`;
  if (!reason) return { seconds: CONFIRM_SECONDS, why };
  ui.say(`warning: ${why} It cannot take itself back: ${reason}. Copy crxn to /usr/local/bin, and it can.`);
  return undefined;
}

/** For the heading of a plan. */
export const wayBackLines = (wish: WayBack | undefined): string[] =>
  wish
    ? [
      ...(wish.why ? [wish.why] : []),
      `Unless \`crxn confirm\` comes from a new session within ${wish.seconds} s after it, everything is taken back.`,
    ]
    : [];

/** A way back that is open. */
export interface OpenWay {
  pending: Pending;
  /** This run failed, and has taken back what it did: what an earlier one left open stays open. */
  abandon(): Promise<void>;
  /** What it is about is done: its time begins. */
  begin(): Promise<Pending>;
}

/** @param before the gateway as it is now; an earlier `up` that nobody has confirmed yet goes back further */
export async function openWay(runner: Runner, { seconds }: WayBack, before: Item[]): Promise<OpenWay> {
  const earlier = readPending();
  const connection = (await sshSession(runner))?.connection;
  try {
    const pending = await arm(runner, {
      seconds,
      ...(connection ? { session: connection } : {}),
      items: earlier?.items ?? before,
    });
    return {
      pending,
      abandon: async () => {
        if (!earlier) await disarm(runner);
      },
      begin: () => startAnew(runner, pending),
    };
  } catch (error) {
    if (!earlier) await disarm(runner).catch(() => {});
    throw error;
  }
}

/**
 * Nothing is changed, and what an earlier `up` did still waits: its time begins anew. Who may confirm stays the same: not the
 * session that the change came from.
 */
export async function anew(
  context: Context,
  asked: number | true,
  prepared: Prepared,
  pending: Pending,
): Promise<Pending> {
  const wish = await wayBack(context, asked, prepared, []);
  return await arm(context.runner, { ...pending, seconds: wish?.seconds ?? pending.seconds });
}
