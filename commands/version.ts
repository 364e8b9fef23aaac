import settings from "../deno.json" with { type: "json" };

/** Of crxn. */
export const VERSION: string = settings.version;
