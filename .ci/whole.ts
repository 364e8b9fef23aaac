/** What start.ts loads: main.ts, and for warm.ts in which folder a machine's files are. */

export { asking, main, start } from "../main.ts";
export { placeFiles } from "../machine/place.ts";
