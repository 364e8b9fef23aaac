/** What the programs of a real machine printed. */

export const recorded = (debian: string, name: string) =>
  Deno.readTextFileSync(new URL(`recorded/${debian}/${name}`, import.meta.url));
