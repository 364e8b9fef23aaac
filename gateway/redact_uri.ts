/** User names, passwords and queries of URIs, also of those that are not quite right. Pure. */

import { parseAddress } from "./cidr.ts";

const START = "[a-z][a-z0-9+.-]{1,15}:\\/\\/";
/** Only the quote that opened it ends it, and only where something else begins. */
const CLOSE = String.raw`(?=[\s,;:.)\]}>\\]|$)`;
const URI = new RegExp(
  [
    String.raw`(?<=\\")${START}(?:(?!\\"${CLOSE})\S)+`,
    String.raw`(?<=")${START}(?:\\\S|(?!"${CLOSE})\S)+`,
    String.raw`(?<=')${START}(?:''|'\\''|(?!'${CLOSE})\S)+`,
    String.raw`(?<=\x60)${START}[^\s\x60]+`,
    String.raw`(?<=<)${START}(?:(?!>${CLOSE})\S)+`,
    String.raw`(?<![a-z0-9+.-])${START}\S+`,
  ].join("|"),
  "gi",
);

/** With a space in the password, which no URI has. Behind a host stand the digits of a port. */
const SPACED = new RegExp(String.raw`(${START})[^\s@:/]*:(?!\d+(?:\W|$))[^\n@]{0,200}@`, "gi");
/** The same without a scheme, in quotes. */
const SPACED_IN_QUOTES = /(["'])((?:(?!\1)[^\n@])*)(?=@)([^\s"']+)/g;

/** Before and behind the @ of a unit, NAME@INSTANCE.service: alone, or behind a quote or a folder. */
const UNIT = {
  name: /(?:^|[\s"'=,(\[{/])[\w-]+$/,
  instance: /^@[\w:.\\-]*\.(?:service|socket|timer|target|slice|scope|mount|device)\b/,
};

/** @param known lower-case hex that is public @param redacted what stands in for a secret */
export const redactUris = (text: string, known: ReadonlySet<string>, redacted: string): string =>
  redactUsers(text, redacted).replace(URI, (uri) => withoutQuery(uri, known, redacted));

/** Blanks in the place of URIs: what stands before `=` in a query is not said of all that follows. */
export const withoutUris = (text: string): string => text.replace(URI, (uri) => " ".repeat(uri.length));

/** User names and passwords alone. */
export const redactUsers = (text: string, redacted: string): string =>
  text
    .replace(SPACED, (_, scheme: string) => `${scheme}${redacted}@`)
    .replace(
      SPACED_IN_QUOTES,
      (all, quote: string, before: string, behind: string) =>
        !/^[^:]*:[^\s]*\s/.test(before) || isUnit(before, behind) || before.endsWith(redacted)
          ? all
          : `${quote}${redacted}${behind}`,
    )
    .replace(URI, (uri) => {
      const [scheme] = /^[^:]*:\/\//.exec(uri)!;
      // Of the whole of it, before it is told where a query begins: a password may have any sign in it.
      const at = uri.lastIndexOf("@");
      if (at < 0) return uri;
      // Behind the @ of a query is no host, but the rest of a password.
      return scheme + redacted + (/\?[\w-]+=/.test(uri.slice(0, at)) ? "" : uri.slice(at));
    })
    .replace(/\S+/g, (word) => word.includes("@") ? withoutScheme(word, redacted) : word);

/** All of a query goes but what is known to be no secret. */
function withoutQuery(uri: string, known: ReadonlySet<string>, redacted: string): string {
  const [, place = "", query, fragment] = /^([^?#]*)(?:\?([^#]*))?(#[^]*)?$/.exec(uri) ?? [];
  const pairs = query?.split(/([&;])/).map((pair) => {
    const [, name = "", value] = /^([^=]*)=([^]*)$/.exec(pair) ?? [];
    if (value === undefined) return /^[&;]?$/.test(pair) ? pair : redacted;
    return isHarmless(name, value, known) ? pair : `${name}=${redacted}`;
  }).join("");
  return `${place}${pairs === undefined ? "" : `?${pairs}`}${fragment === undefined ? "" : `#${redacted}`}`;
}

/** Of a pair of a query, with what stands behind a URI. */
function isHarmless(name: string, text: string, known: ReadonlySet<string>): boolean {
  const value = text.replace(/[\])}>"'`\\,;:.]*$/, "");
  return (name === "priority" && /^\d{0,3}$/.test(value)) || (name === "maxbackoff" && /^[\w.]{0,20}$/.test(value)) ||
    (name === "sni" && /^[\w.-]*$/.test(value)) || (name === "key" && known.has(value.toLowerCase()));
}

/** user:password@host, also behind a scheme that is none. Units, and yggdrasil's ADDRESS@HOST, are none. */
function withoutScheme(word: string, redacted: string): string {
  const at = word.lastIndexOf("@");
  const [, open = "", before = ""] = /^([\["'`(<{]*)([^]*)$/.exec(word.slice(0, at))!;
  const behind = word.slice(at);
  const out = before.endsWith(redacted) || isUnit(before, behind);
  if (out || !before.includes(":") || parseAddress(before.replace(/\]$/, ""))?.family === 6) return word;
  return `${open}${redacted}${behind}`;
}

const isUnit = (before: string, behind: string): boolean => UNIT.name.test(before) && UNIT.instance.test(behind);
