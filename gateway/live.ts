/** What a running daemon is told of a changed file of its own, so that it need not be started anew. Pure. */

import { type Action, Program, run } from "./action.ts";
import { capabilityOf } from "./capability.ts";
import type { FileItem, Item, ServiceItem } from "./item.ts";
import { Path } from "./names.ts";
import type { Survey } from "./survey.ts";
import { differenceInPeers } from "./yggdrasil_config.ts";

/**
 * Actions after which the daemon that has read the file at its start is as if it had read the new one.
 * @returns undefined where only a restart does that, or where nothing runs that has read it
 */
export function catchUp(item: FileItem, items: Item[], survey: Survey): Action[] | undefined {
  const there = survey.files[item.path];
  const reader = items.find((i): i is ServiceItem => i.kind === "service" && i.reads.includes(item.path));
  const unit = reader && survey.units[reader.unit];
  if (!there?.content || there.mode !== item.mode || unit?.active !== "active" || unit.since === 0) return undefined;
  // Somebody has written it since: nobody knows what the daemon has read.
  if (there.modified > unit.since) return undefined;
  const told = item.unit ? asUnit(there.content, item.content) : tellPeers(item, there.content, survey);
  // By the time of the file is told what a daemon has read (see.ts).
  return told && [...told, { do: "age", path: item.path, modified: there.modified }];
}

/** What a unit runs before its daemon puts items there, each of which is a step of its own. */
function asUnit(before: string, after: string): Action[] | undefined {
  // Steering is no item: nothing but a start of the unit does it.
  const isItem = (line: string) => line.startsWith("ExecStartPre=") && !line.includes("/rps_cpus");
  const lasting = (text: string) => text.split("\n").filter((l) => !isItem(l)).join("\n");
  return lasting(before) === lasting(after) ? [] : undefined;
}

/** yggdrasil takes peers by its socket, and 0.5 lets them go (src/core/api.go, link.go). */
function tellPeers(item: FileItem, before: string, survey: Survey): Action[] | undefined {
  if (item.path !== Path.yggdrasilConfig || !survey.overlay) return undefined;
  const generation = capabilityOf(survey.daemon?.normalised ?? "")?.generation;
  const difference = differenceInPeers(before, item.content);
  if (generation === undefined || generation === "0.3" || !difference) return undefined;
  const { added, removed } = difference;
  // 0.4 forgets a peer of its config, and stays connected to it.
  if (generation === "0.4" && removed.length > 0) return undefined;
  const plain = (uri: string) => uri.split("?")[0]!;
  // A password would be seen in the list of processes. Of one peer with other options 0.5 cannot tell old from new.
  if ([...added, ...removed].some((uri) => /[?&]password=/i.test(uri))) return undefined;
  if (added.some((uri) => removed.map(plain).includes(plain(uri)))) return undefined;
  const tell = (what: string, uri: string) => run([Program.yggdrasilctl, "-json", what, `uri=${uri}`]);
  // In this order: with only one peer, the machine would be cut off in between.
  return [...added.map((uri) => tell("addPeer", uri)), ...removed.map((uri) => tell("removePeer", uri))];
}
