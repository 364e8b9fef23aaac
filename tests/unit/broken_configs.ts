/** Configs that must be refused, with the place and a phrase of the message; for unit tests and for tests on machines. */

import type { BrokenConfig } from "./broken/base.ts";
import { DAEMONS } from "./broken/daemon.ts";
import { KEYS } from "./broken/keys.ts";
import { SEVERAL } from "./broken/several.ts";
import { VALUES } from "./broken/values.ts";
import { YAML } from "./broken/yaml.ts";

export { GOOD_INTERFACE, GOOD_YGGDRASIL, KEY } from "./broken/base.ts";

export const BROKEN_CONFIGS: BrokenConfig[] = [...YAML, ...KEYS, ...VALUES, ...DAEMONS, ...SEVERAL];
