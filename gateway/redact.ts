/**
 * Takes secrets out of text that is going to be shown to others. The second line: a report is made of what is known to be
 * harmless, and whatever came from elsewhere (logs, rules, what programs said) goes through this. Rather too much than too little. Pure.
 */

export const REDACTED = "[redacted]";

/** Names of values that are secret, as parts of longer names as well: WG_PRIVATE_KEY, AdminPassword. */
const NAME =
  "[\\w.-]*(?:private[_-]?key|privkey|secret|passw(?:or)?d|passphrase|passcode|pre-?shared|psk|token|credential|api[_-]?key|auth[_-]?(?:key|pass|token|data|user-pass)|encryption[_-]?key|signing[_-]?key)[\\w.-]*|pass|pwd|pin|cookie";
/** One value: in quotes, or a word. */
const VALUE = `"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\\\\"(?:(?!\\\\").)*\\\\"|[^\\s"',;}]+`;

/** PEM (RFC 7468), OpenVPN's static keys and its inline files, to their end or to that of the text. */
const BLOCK =
  /-----BEGIN [^\n]*?-----[^]*?(?:-----END [^\n]*?-----|$)|<(key|secret|tls-auth|tls-crypt(?:-v2)?|auth-user-pass|pkcs12|cert|ca|extra-certs)>[^]*?(?:<\/\1>|$)/g;
const URI = /\b([a-z][a-z0-9+.-]{1,15}:\/\/)([^\s<>"'`]+)/gi;
/** A value in quotes, one that is out already, or all to the end of the line. */
const ANY = `"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\\\\"(?:(?!\\\\").)*\\\\"|\\[redacted\\]|.*`;
/** PrivateKey = x, "password": "x", TOKEN=x, passphrase: x y z; "private key: x" as wg(8) has it. */
const ASSIGNED = new RegExp(
  `(?<![\\w.-])((?:${NAME}|private key|preshared key|pre-shared key|\\bkey)\\\\?["']?\\s*[:=]\\s*)(?!\\s)(${ANY})`,
  "gi",
);
/** --password x, preshared-key x, "the password is x". */
const SPOKEN = new RegExp(
  `(?<![\\w.-])(-{0,2}(?:${NAME}|private key|preshared key))((?:[ \\t]+(?:is|was|file))?[ \\t]+)(?!${stopWords()}|[:=])(${VALUE})`,
  "gi",
);
/** ip-link(8): key, ikey, okey; an IPsec key. */
const NUMBERED = /\b([io]?key|csum|auth|enc|aead)(\s+)(0x[0-9a-f]+|\d[\d.]*|[A-Za-z0-9+/]{20,}=*)(?![\w:])/gi;
/** 32 bytes in base64: any key of WireGuard's, public ones as well. */
const BASE64_KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?!=)/g;
const HEX = /[0-9a-f]{32,}/gi;
const JWT = /\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}/g;
const LONG = /(?<![\w+/-])[\w+/-]{24,}={0,2}/g;
/** What people write into rules, in the words of iptables and nft. */
const NOTE =
  /(--(?:comment|log-prefix|nflog-prefix|string|hex-string)\s+)(\\?"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s"]+(?:[ \t]+(?!-)[^\s"]+)*)|(\b(?:comment|prefix)\s+)(\\?"(?:\\.|[^"\\\n])*")/g;

/** What follows a secret's name in a sentence and is none. */
function stopWords(): string {
  const words =
    "is was are of for in on at to and or the a an that which cannot could has have had not no must may from by with file files does do it key keys needed required missing wrong unknown invalid authentication prompt agent";
  return `(?:${words.split(" ").join("|")})\\b(?!\\S)`;
}

/**
 * @param known lower-case hex that is public: keys of nodes, sums
 * @returns the same number of lines; redacting once more changes nothing
 */
export function redact(text: string, known: ReadonlySet<string> = new Set()): string {
  return text
    .replace(BLOCK, (block) => `${REDACTED}${"\n".repeat(block.split("\n").length - 1)}`)
    .replace(NOTE, (_, ...[a, x, b, y]: string[]) => `${a ?? b}${isOurs(x ?? y!) ? x ?? y : '"[comment]"'}`)
    .replace(URI, (_, scheme: string, rest: string) => scheme + uriRest(rest, known))
    .replace(ASSIGNED, (_, name: string, value: string) => name + assigned(value, known))
    .replace(
      SPOKEN,
      (all, name: string, between: string, value: string) => isMask(value) ? all : `${name}${between}${REDACTED}`,
    )
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

const isMask = (value: string) => value.startsWith(REDACTED) || value.startsWith("[redacted");

/** User names and passwords go, and of a query all but what is known to be none. */
function uriRest(rest: string, known: ReadonlySet<string>): string {
  const [, path = "", query, fragment] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(rest) ?? [];
  const at = path.lastIndexOf("@");
  // yggdrasil's logs have KEY OR ADDRESS@HOST, without a scheme.
  const place = at < 0 ? path : `${REDACTED}@${path.slice(at + 1)}`;
  const pairs = query?.split(/([&;])/).map((pair) => {
    const [, name, value] = /^([^=]*)=(.*)$/.exec(pair) ?? [];
    if (name === undefined) return /^[&;]?$/.test(pair) ? pair : REDACTED;
    const harmless = ["priority", "maxbackoff", "sni"].includes(name) ||
      (name === "key" && known.has(value!.toLowerCase()));
    return harmless && !value!.includes("@") ? pair : `${name}=${REDACTED}`;
  }).join("");
  return `${place}${pairs === undefined ? "" : `?${pairs}`}${fragment === undefined ? "" : `#${REDACTED}`}`;
}

const isOurs = (note: string) => /^\\?"?crxn:[a-z0-9:-]+\\?"?$/.test(note);

/** What stands behind a secret's name. */
function assigned(value: string, known: ReadonlySet<string>): string {
  const [, quote = "", inside = value] = /^(\\?["'])([^]*)\1$/.exec(value) ?? [];
  const word = inside.trim();
  const harmless = word === "" || /^[{[(]$/.test(word) || word === "(not shown)" || known.has(word.toLowerCase());
  return harmless ? value : `${quote}${REDACTED}${quote}`;
}

/** Of a word so long that nobody would type it: letters of both cases and digits, and no path of lower-case names. */
function isRandom(word: string): boolean {
  if (/^[-_]*$/.test(word)) return false;
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /[0-9]/.test(word);
}
