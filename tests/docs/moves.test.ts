import { MOVE_SCENES } from "./scenes_moves.ts";
import { tellScenes } from "./tell.ts";

tellScenes(MOVE_SCENES);
