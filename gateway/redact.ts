/**
 * Takes secrets out of text that is going to be shown to others. The second line: a report is made of what is known to be
 * harmless, and whatever came from elsewhere (logs, rules, what programs said) goes through this. Rather too much than too little. Pure.
 */

import { IN_QUOTES } from "./redact_quotes.ts";
import { redactUris } from "./redact_uri.ts";
import { redactBlocks, redactValues } from "./redact_values.ts";

const REDACTED = "[redacted]";

/** PEM (RFC 7468), OpenVPN's static keys and its inline files, to their end or to that of the text. */
const BLOCK =
  /-----BEGIN [^\n]*?-----[^]*?(?:-----END [^\n]*?-----|$)|<(key|secret|tls-auth|tls-crypt(?:-v2)?|auth-user-pass|pkcs12|cert|ca|extra-certs)>[^]*?(?:<\/\1>|$)/g;
/** ip-link(8): key, ikey, okey; an IPsec key. */
const NUMBERED = /\b([io]?key|csum|auth|enc|aead)(\s+)(0x[0-9a-f]+|\d[\d.]*|[A-Za-z0-9+/]{20,}=*)(?![\w:])/gi;
/** 32 bytes in base64: any key of WireGuard's, public ones as well. */
const BASE64_KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?!=)/g;
const HEX = /[0-9a-f]{32,}/gi;
const JWT = /\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}/g;
const LONG = /(?<![\w+/-])[\w+/-]{24,}={0,2}/g;
/** What people write into rules, in the words of iptables and nft. */
const NOTE = new RegExp(
  String
    .raw`(--(?:comment|log-prefix|nflog-prefix|string|hex-string)\s+)(${IN_QUOTES}|[^\s"]+(?:[ \t]+(?!-)[^\s"]+)*)|(\b(?:comment|prefix)\s+)((?=\\?")(?:${IN_QUOTES}))`,
  "g",
);
/** USER:PASSWORD of curl(1) and others. */
const USER = new RegExp(
  String
    .raw`((?<!\S)-[uU][ \t]*|(?<=["'=(\x60])-[uU][ \t]+|(?<![\w-])--(?:proxy-)?user(?:[ \t]+|=))((?=["'])(?:${IN_QUOTES})|[^\s"']\S*)`,
  "g",
);

/**
 * @param known lower-case hex that is public: keys of nodes, sums
 * @returns the same number of lines; redacting once more changes nothing
 */
export function redact(text: string, known: ReadonlySet<string> = new Set()): string {
  const plain = text
    .replace(BLOCK, (block) => `${REDACTED}${"\n".repeat(block.split("\n").length - 1)}`)
    .replace(NOTE, (_, ...[a, x, b, y]: string[]) => `${a ?? b}${isOurs(x ?? y!) ? x ?? y : '"[comment]"'}`)
    .replace(USER, (all, option: string, user: string) => user.includes(":") && !isOut(user) ? option + REDACTED : all);
  // Of a value with an `@` in it the part behind that would be left as a host.
  return redactUris(redactValues(redactBlocks(plain, REDACTED), known, REDACTED), known, REDACTED)
    .replace(
      NUMBERED,
      (all, name: string, space: string, value: string) =>
        known.has(value.toLowerCase()) ? all : `${name}${space}${REDACTED}`,
    )
    .replace(BASE64_KEY, REDACTED)
    .replace(JWT, REDACTED)
    .replace(HEX, (hex) => known.has(hex.toLowerCase()) ? hex : REDACTED)
    .replace(LONG, (word) => isRandom(word) && !known.has(word.toLowerCase()) ? REDACTED : word);
}

const isOut = (value: string) => value.replace(/^["']/, "").startsWith(REDACTED);

const isOurs = (note: string) => /^\\?"?crxn:[a-z0-9:-]+\\?"?$/.test(note);

/** Of a word so long that nobody would type it: letters of both cases and digits, and no path of lower-case names. */
function isRandom(word: string): boolean {
  if (/^[-_]*$/.test(word)) return false;
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /[0-9]/.test(word);
}
