/** Reads what `crxn init` proposes a config from. Changes nothing, and needs no root; root sees more. */

import { capabilityOf, STOCK } from "../gateway/capability.ts";
import { soft } from "../gateway/config/draft.ts";
import { listenUri, peerUri } from "../gateway/config/uri.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import type { Terrain } from "../gateway/init/terrain.ts";
import { HEADER, instanceOf, Path } from "../gateway/names.ts";
import type { DaemonSeen } from "../gateway/survey.ts";
import { peersIn } from "../gateway/yggdrasil_config.ts";
import { readSeen } from "./files.ts";
import { findIdentity } from "./identity.ts";
import { readNeighbours } from "./host.ts";
import { readLinks, readRoutes } from "./ip.ts";
import type { Runner } from "./run.ts";
import { rivalFiles } from "./tayga.ts";

/**
 * @param daemon what the yggdrasil program said of itself, if there is one
 * @returns all but `networks`, which depend on the journal
 * @throws CrxnError 69 when ip(8) does not answer
 */
export async function readTerrain(runner: Runner, daemon: DaemonSeen | undefined): Promise<Omit<Terrain, "networks">> {
  const { generation } = capabilityOf(daemon?.normalised ?? "") ?? STOCK;
  const [links, routes, neighbours, others, yggdrasil, identity] = await Promise.all([
    readLinks(runner),
    Promise.all([readRoutes(runner, "inet"), readRoutes(runner, "inet6")]),
    readNeighbours(runner).catch(() => []),
    rivalFiles([]),
    readSeen(Path.yggdrasilConfig),
    // A config without a usable key, or one for root's eyes, is for others to speak of.
    findIdentity(generation).catch(() => undefined),
  ]).catch((error) => {
    throw new CrxnError(
      Exit.unavailable,
      `This machine's network could not be read: ${error instanceof Error ? error.message : error}.`,
      "crxn asks ip(8), of the package iproute2. Without it use `crxn init --example`.",
    );
  });
  const own = others.filter(({ text }) => text.includes(HEADER)).map(({ unit }) => instanceOf(unit)!);
  const devices = links.flatMap((l) => /^nat64-(.+)$/.exec(l.name)?.[1] ?? []);
  const { peers, listen } = peersIn(yggdrasil?.content ?? "{}");
  return {
    links,
    routes: routes.flat(),
    neighbours,
    instances: [...new Set([...others.map(({ unit }) => instanceOf(unit)!), ...devices])].filter((name) =>
      !own.includes(name)
    ).sort(),
    // What crxn's config can hold as well.
    yggdrasil: {
      peers: peers.flatMap((text) => soft(peerUri, text) ?? []),
      listen: listen.flatMap((text) => soft(listenUri, text) ?? []),
    },
    generation,
    ...(identity && identity.from !== "new" ? { ownKey: identity.publicKey } : {}),
  };
}
