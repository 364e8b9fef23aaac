/** Where this machine's files are: under "/", but for a test, which keeps a machine's files in a folder of its own. */

let folder = "";

/** The path to open for a path as the machine itself calls it. */
export const at = (path: string): string => folder + path;

/** For tests only: from now on the machine's files are in this folder. "" is the real machine. */
export function placeFiles(root: string): void {
  folder = root;
}
