/** What a plan does not show of a file with keys: the secret ones, however and wherever they are written in it. Pure. */

import hjson from "hjson";
import { GAP, SECRET_NAME } from "./secret_words.ts";

/** A key's value in every spelling of HJSON; without quotes it goes to the end of the line. */
const VALUE = String.raw`(?:'''[^]*?(?:'''|$)|"[^"\n]*"?|'[^'\n]*'?|[^\n]+)`;
const NAMED = new RegExp(String.raw`(${SECRET_NAME}["']?${GAP}:\s*)${GAP}${VALUE}`, "gi");
const IS_SECRET = new RegExp(`${SECRET_NAME}$`, "i");

/** Two halves in one: never a public key alone. */
const PAIR = /(?<!\w)[0-9a-f]{128}(?!\w)/gi;
/** A key of one half: a secret one in a line that has named one before, or that says nothing else. */
const HALF = /(?<!\w)[0-9a-f]{64}(?!\w)/gi;
const BEHIND = /private[ _-]?key\b[^\n]*/gi;
const ALONE = /^[ \t#/*"',-]*[0-9a-f]{64}[ \t"',*/\r]*$/gim;

const HIDDEN = "(not shown)";

/** Text with secrets made unreadable, for plans and reports. Public keys of others stay: of those a plan has to tell. */
export function maskSecrets(text: string): string {
  const { secret, open } = valuesIn(text);
  let shown = text.replace(NAMED, `$1${HIDDEN}`).replace(PAIR, HIDDEN);
  for (const value of secret) shown = shown.replaceAll(value, HIDDEN);
  const half = (part: string) => part.replace(HALF, (key) => open.has(key.toLowerCase()) ? key : HIDDEN);
  return shown.replace(BEHIND, half).replace(ALONE, half);
}

/** Strings of a config by what their names say: whatever the spelling of the file, this is what the daemon reads. */
function valuesIn(text: string): { secret: Set<string>; open: Set<string> } {
  const found = { secret: new Set<string>(), open: new Set<string>() };
  const walk = (value: unknown, secret: boolean): void => {
    if (typeof value === "string") {
      if (!secret) found.open.add(value.toLowerCase());
      // A short one is no key, and may be a word of the rest.
      else if (value.length >= 32) found.secret.add(value).add(value.slice(0, 64));
    } else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        // Routes are a map in which the keys of nodes are names.
        if (!Array.isArray(value)) walk(name, false);
        walk(inner, secret || IS_SECRET.test(name));
      }
    }
  };
  try {
    walk(hjson.parse(text), false);
  } catch {
    // Nothing in it is known to be public then.
  }
  return found;
}
