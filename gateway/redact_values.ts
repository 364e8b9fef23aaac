/** Values behind names that say that they are secret: `password: x`, `--token x`, "the passphrase is x". Pure. */

import { IN_QUOTES, ONE_WORD } from "./redact_quotes.ts";
import { withoutUris } from "./redact_uri.ts";

/** Parts of names of values that are secret: WG_PRIVATE_KEY, AdminPassword. */
const SECRET =
  /private[_-]?key|privkey|secret|passw(?:or)?d|passphrase|passcode|pre-?shared|psk|token|credential|api[_-]?key|auth[_-]?(?:key|pass|token|data|user-pass)|encryption[_-]?key|signing[_-]?key|^-*(?:pass|pwd|pin|cookie)$/i;
/** More, where a value is assigned: DB_PASS, smtp_pwd, SSH_KEY. What ends in `public key` is none. */
const ASSIGNED = /(?:pass|pwd|(?:^|[_.-])key)$/i;
const PUBLIC = /pub(?:lic)?[_.-]?key$/i;
/** "private key", "preshared key" of wg(8). */
const TWO_WORDS = /(?:private|shared|secret|encryption|signing)$/i;
const KEY = /[ \t]+key(?![\w.-])/y;

/** `=`, `: `, `": `, `'] = `, ` is: `. */
const SIGN = /\\?["']?\]?(?:[ \t]+(?:is|was|were))?\s*[:=]\s*/y;
/** A value in quotes, one that is out already, or all to the end of the line. */
const REST = new RegExp(String.raw`${IN_QUOTES}|\[redacted\]|[^\n]+`, "y");
const SPACE = /(?:[ \t]+(?:is|was|file))?[ \t]+(?![:=])/y;
const WORD = new RegExp(ONE_WORD, "y");
/** What follows a secret's name in a sentence and is none. */
const STOP =
  /(?:is|was|are|for|of|in|on|at|to|and|or|the|a|an|that|which|cannot|could|has|have|had|not|no|must|may|from|by|with|file|files|does|do|it|key|keys|needed|required|missing|wrong|unknown|invalid|authentication|prompt|agent)(?!\S)/iy;

/** @param known lower-case hex that is public @param redacted what stands in for a secret */
export function redactValues(text: string, known: ReadonlySet<string>, redacted: string): string {
  const places = withoutUris(text);
  let [out, from] = ["", 0];
  // A loop, not one expression: a name may be as long as the text.
  for (const names = /[\w.-]+/g;;) {
    const [name] = names.exec(places) ?? [];
    if (name === undefined) return out + text.slice(from);
    const spoken = isSecret(name);
    const two = TWO_WORDS.test(name) ? at(KEY, text, names.lastIndex) : undefined;
    if (!spoken && two === undefined && (!ASSIGNED.test(name) || PUBLIC.test(name))) continue;
    const end = names.lastIndex + (two?.length ?? 0);
    const found = assigned(text, end, known, redacted) ??
      (spoken || two !== undefined ? said(text, end, redacted) : undefined);
    if (!found) continue;
    out += text.slice(from, found.from) + found.shown;
    from = names.lastIndex = found.to;
  }
}

const isSecret = (name: string): boolean => SECRET.test(name);

/** What the expression finds right here. */
function at(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

interface Found {
  from: number;
  to: number;
  shown: string;
}

function assigned(text: string, end: number, known: ReadonlySet<string>, redacted: string): Found | undefined {
  const sign = at(SIGN, text, end);
  const from = end + (sign?.length ?? 0);
  const value = sign === undefined ? undefined : at(REST, text, from);
  if (value === undefined) return undefined;
  const [, quote = "", inside = value] = /^(\\?["'])([^]*)\1$/.exec(value) ?? [];
  // One public key, whatever comes behind it.
  const key = /^[0-9a-f]{32,}(?![\w])/i.exec(inside)?.[0];
  const word = inside.trim();
  const harmless = word === "" || /^[{[(]$/.test(word) || word === "(not shown)" ||
    (key && known.has(key.toLowerCase()));
  const next = from + quote.length + (key?.length ?? 0);
  return harmless ? { from, to: next, shown: text.slice(from, next) } : {
    from,
    to: from + value.length,
    shown: `${quote}${redacted}${quote}`,
  };
}

function said(text: string, end: number, redacted: string): Found | undefined {
  // "The password is not ...": the word before may be the verb, or the value.
  const spaces = [at(SPACE, text, end), at(/[ \t]+(?![:=])/y, text, end)];
  for (const space of spaces) {
    const from = end + (space?.length ?? 0);
    if (space === undefined || at(STOP, text, from) !== undefined) continue;
    const value = at(WORD, text, from);
    if (value === undefined || value.startsWith("[redacted")) continue;
    return { from, to: from + value.length, shown: redacted };
  }
  return undefined;
}

/** A key of YAML at the beginning of its line; or, behind anything, with a block to come. */
const YAML = /^([ \t]*(?:- +)*)["']?([\w.-]+)["']?[ \t]*:(?=\s|$)/;
const OPENS = /^([ \t]*)(?:[^]*[^\w.-])?([\w.-]+)["']?[ \t]*:[ \t]*[|>][-+\d]*[ \t]*$/;

/** Values of YAML that go on on deeper lines: blocks, lists, and words that were broken. */
export function redactBlocks(text: string, redacted: string): string {
  let depth: number | undefined;
  return text.split("\n").map((line) => {
    const indent = /^[ \t]*/.exec(line)![0];
    if (depth !== undefined && line.trim() !== "") {
      // A list may be as deep as its key.
      if (indent.length > depth || (indent.length === depth && /^- /.test(line.slice(depth)))) {
        return /^[\]})'",]*$/.test(line.trim()) ? line : indent + redacted;
      }
      depth = undefined;
    }
    const [, before = "", name = ""] = YAML.exec(line) ?? OPENS.exec(line) ?? [];
    if (name !== "" && (isSecret(name) || (ASSIGNED.test(name) && !PUBLIC.test(name)))) depth = before.length;
    return line;
  }).join("\n");
}
