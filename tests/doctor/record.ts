/** Keeps what doctor saw on a machine, for tests without one. */

import type { Scene } from "./scene.ts";

/** With CRXN_RECORD=DIRECTORY only. */
export async function record(_scene: Scene, _kind: "healthy" | "broken", _name: string): Promise<void> {
}
