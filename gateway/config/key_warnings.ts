/** Keys in `routes` that no daemon of this generation can have: everything else about them looks right, and they never work. */

import type { Generation } from "../capability.ts";
import { placesOf } from "./places.ts";
import { type Finding, placed, type Problem, quote } from "./problem.ts";
import type { Config } from "./types.ts";

/** @returns the keys that cannot be of that generation */
export async function foreignKeys(config: Config, generation: Generation): Promise<string[]> {
  const { overlay } = config;
  if (overlay.type !== "yggdrasil" || overlay.routes.length === 0) return [];
  const { canBeOf } = await import("../key_kind.ts");
  return [...new Set(overlay.routes.map((r) => r.via))].filter((key) => !canBeOf(generation, key));
}

/** What a key of the wrong generation most likely is, and where the right one is to be had. */
export const wrongGeneration = (generation: Generation): [what: string, remedy: string] =>
  generation === "0.3"
    ? [
      "cannot be a key of yggdrasil 0.3, which is the daemon here; it looks like the public key of a later one",
      "take EncryptionPublicKey of the far node's yggdrasil.conf; both ends must run 0.3",
    ]
    : [
      `cannot be a key of yggdrasil ${generation}, which is the daemon here; it looks like an EncryptionPublicKey of yggdrasil 0.3`,
      "take the public key that `crxn init --key` or `yggdrasilctl getSelf` prints on the far node; both ends must run 0.4 or later",
    ];

/** The same with its place in the file, for each route that names such a key. */
export async function keyWarnings(
  config: Config,
  generation: Generation,
  text: string,
  file: string,
): Promise<Problem[]> {
  const keys = await foreignKeys(config, generation);
  if (keys.length === 0) return [];
  const [what, remedy] = wrongGeneration(generation);
  const findings = config.overlay.routes.flatMap(({ via }, index): Finding[] =>
    via !== undefined && keys.includes(via)
      ? [{ path: ["overlay", "routes", index, "via"], value: via, message: `${quote(via)} ${what}`, remedy }]
      : []
  );
  const places = await placesOf(text);
  return placed(findings, file, ({ path, at }) => places.at(path, at));
}
