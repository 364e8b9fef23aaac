/** The scenes in which the docs are played: what is set up, and in which order their blocks are run. */

import { GUIDE_SCENES } from "./scenes_guide.ts";
import { MOVE_SCENES } from "./scenes_moves.ts";
import { OVERLAY_SCENES } from "./scenes_overlays.ts";
import type { Stage } from "./stage.ts";

export interface Scene {
  machines: string[];
  /** Without Go there are no daemons of other kinds. */
  needsGo?: true;
  /** It installs a release, which is made of the binary. */
  needsBinary?: true;
  /** Missing where no machine of the rig is meant. */
  play?: (stage: Stage) => Promise<void>;
}

export const SCENES: Record<string, Scene> = { ...GUIDE_SCENES, ...OVERLAY_SCENES, ...MOVE_SCENES };
