import { OVERLAY_SCENES } from "./scenes_overlays.ts";
import { tellScenes } from "./tell.ts";

tellScenes(OVERLAY_SCENES);
