import { GUIDE_SCENES } from "./scenes_guide.ts";
import { tellScenes } from "./tell.ts";

tellScenes(GUIDE_SCENES);
