/** `crxn doctor` without a config: what can still be said of the machine, beside the error. */

import { CrxnError, Exit } from "../gateway/errors.ts";
import { type Journal, replay } from "../gateway/journal.ts";
import { see } from "../gateway/see.ts";
import { defaultUplink, type Survey } from "../gateway/survey.ts";
import { readJournal } from "../machine/journal.ts";
import { questionsOf, readSurvey } from "../machine/survey.ts";
import type { Context } from "./context.ts";

/** The error of a config that could not be loaded, with a look at the machine where there is no config at all. */
export async function withoutConfig({ runner, options }: Context, error: unknown): Promise<unknown> {
  if (!(error instanceof CrxnError) || error.exit !== Exit.config) return error;
  const there = await Deno.lstat(options.config).then(() => true, () => false);
  if (there) return error;
  const journal = await readJournal().catch(() => undefined);
  const survey = await readSurvey(runner, questionsOf(undefined, journal ?? replay([]))).catch(() => undefined);
  if (!survey) return error;
  const made = journal !== undefined && journal.entries.size > 0;
  const notes = made ? gatewayNotes(journal, survey) : machineNotes(journal, survey);
  return new CrxnError(
    Exit.config,
    made ? `There is no config at ${options.config}, but what crxn made from one is here.` : error.message,
    made
      ? "Put the config back from a backup, and `crxn doctor` can judge it; `crxn down` takes all of it back without one."
      : error.remedy,
    { text: notes.join("\n"), json: { notes } },
  );
}

/** Of what the journal knows: what is not there any more as it was made. */
function gatewayNotes({ entries }: Journal, survey: Survey): string[] {
  const items = [...entries.values()].map((e) => e.item);
  const wrong = items.flatMap((item) => {
    const state = see(item, survey);
    if (state.is === "present" || state.is === "unknown") return [];
    return [`${item.id}: ${state.is === "absent" ? "missing" : state.how}`];
  });
  if (wrong.length === 0) return [`What crxn made is there as it made it (its journal has ${items.length} entries).`];
  return [`Not as crxn made it (${wrong.length} of ${items.length} entries of its journal):`, ...wrong];
}

/** Whether it could be a gateway. */
function machineNotes(journal: Journal | undefined, survey: Survey): string[] {
  const { os, packages, systemd, tun, units, root } = survey;
  const lacking = ["tayga", "yggdrasil"].filter((name) => packages && !packages[name]);
  const sample = units["tayga.service"];
  const uplink = defaultUplink(survey);
  const fit = os.id === "debian" && !(Number(os.version) < 12);
  return [
    `${os.name || "an unknown system"}${fit ? "" : ": crxn sets up Debian 12 or newer"}`,
    ...(systemd ? [] : ["systemd does not run this machine, and crxn's units need it"]),
    tun
      ? "/dev/net/tun is there"
      : "there is no /dev/net/tun: `modprobe tun`, or in a container have its host pass it in",
    ...(lacking.length > 0
      ? [`not installed yet: ${lacking.join(", ")} (\`crxn install\` brings what the config needs)`]
      : []),
    ...(sample?.active === "active"
      ? ["Debian's own tayga.service runs with a config of its own; `crxn up` stops it if that is the sample"]
      : []),
    uplink
      ? `the IPv6 default route leaves by ${uplink.device}`
      : "there is no IPv6 default route: a gateway needs the IPv6 Internet",
    journal
      ? "nothing of a gateway is here: crxn's journal is empty"
      : root
      ? "crxn's journal cannot be read"
      : "whether crxn has made something here only root can see",
  ];
}
