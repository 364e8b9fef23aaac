/** Words of command lines in units, and back: systemd.service(5), "COMMAND LINES". Pure. */

/** A specifier begins with `%` wherever it stands, in a path of a condition as well, which has no quotes around it. */
export const plainPath = (path: string): string => path.replaceAll("%", "%%");

const inQuotes = (word: string) => `"${plainPath(word.replace(/[\\"]/g, "\\$&"))}"`;

/** An argument of ExecStart=. */
export const argument = (word: string): string => inQuotes(word).replaceAll("$", "$$$$");

/** A program with its arguments. systemd exchanges variables in the arguments only: `$$` in a program's path are two signs. */
export const commandWords = ([program = "", ...words]: string[]): string =>
  [inQuotes(program), ...words.map(argument)].join(" ");

/** The other way round, of a text that begins with the program. */
export const wordsIn = (text: string): string[] =>
  [...text.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, word], i) => {
    const plain = word!.replace(/\\(.)/g, "$1").replaceAll("%%", "%");
    return i === 0 ? plain : plain.replaceAll("$$", "$");
  });
