/** How a value reads that may be in quotes: as shells, YAML and JSON have them, and as people get them wrong. Pure. */

/** One pair of quotes on a line; a quote behind a backslash does not end it. */
const CLOSED = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`;
/** JSON within JSON. */
const ESCAPED = String.raw`\\"(?:(?!\\")[^\n])*\\"`;
/** What may come behind a value; of JSON without a space the next name. */
const END = String.raw`(?=[,;:.)\]}>\[{]*(?:\s|$|\\?"))`;

/** Pairs of quotes and what is joined to them without a space: 'it'\''s', 'it''s', ""x. */
const JOINED = String.raw`(?:${CLOSED})(?:${CLOSED}|\\[^\n]|[^\s"'\\,;)}\]>])*${END}`;

/** A value that begins with a quote: to its last one, or to the line's end where that cannot be told. */
export const IN_QUOTES = String.raw`${ESCAPED}${END}|${JOINED}|\\?["'][^\n]*`;

/** One word of a command line, with the quotes in it. */
export const ONE_WORD = String.raw`${ESCAPED}${END}|(?:${CLOSED}|\\[^\n]|[^\s"'\\])+(?=\s|$)|\\?["'][^\n]*|\S+`;
