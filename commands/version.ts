/** Which crxn this is. */

import settings from "../deno.json" with { type: "json" };

/** By semantic versioning; deno.json is the one place that has it. */
export const VERSION: string = settings.version;

/** Of which sources. The build puts the commit in the place of these words (.ci/bundle.ts): at run time nothing is asked. */
export const ORIGIN = "(from the sources)";

/** "crxn 0.1.0 (0123456789)". */
export const versionLine = (): string => `crxn ${VERSION} ${ORIGIN}`;
