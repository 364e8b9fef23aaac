import { assertEquals } from "@std/assert";
import { goObstacle } from "../rig/daemons.ts";
import { Lab } from "../rig/mod.ts";
import { unbuilt } from "../rig/release.ts";
import type { Scene } from "./scenes.ts";
import { Stage } from "./stage.ts";

/** A test for each scene: what README and docs show is typed on booted machines, and prints what they say. */
export function tellScenes(scenes: Record<string, Scene>): void {
  for (const [name, { play, needsGo, needsBinary }] of Object.entries(scenes)) {
    if (!play) continue;
    const obstacle = (needsGo ? goObstacle() : undefined) ?? (needsBinary ? unbuilt : undefined);
    Deno.test({
      name: `the docs, scene ${name}${obstacle ? ` (NOT RUN: ${obstacle})` : ""}`,
      ignore: obstacle !== undefined,
      fn: async (t) => {
        await using lab = await Lab.create();
        const stage = new Stage(name, lab, t);
        await play(stage);
        assertEquals(stage.unplayed(), [], "the docs show what this scene never played");
      },
    });
  }
}
