/**
 * `deno run -A .ci/notes.ts TAG [OWNER/NAME]`: what is new in the release that a tag is, for its page. Fails for a tag that is
 * not of this version, for a version that CHANGELOG.md does not have, and in a repository where install.sh would not look.
 */

import { VERSION } from "../commands/version.ts";
import { ROOT } from "./compile.ts";
import { REPOSITORY } from "./names.ts";

/** The text below a version's heading in CHANGELOG.md. @throws Error where there is none, or no date */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## (?=\[)/m).slice(1);
  const found = sections.find((text) => text.startsWith(`[${version}]`));
  if (!found) throw new Error(`CHANGELOG.md has no section [${version}]`);
  const [heading = "", ...lines] = found.split("\n");
  if (!/^\[[^\]]+\] - \d{4}-\d\d-\d\d$/.test(heading)) throw new Error(`CHANGELOG.md: "${heading}" has no date`);
  // Links are listed at the end of the file.
  const text = lines.filter((line) => !/^\[[^\]]+\]: /.test(line)).join("\n").trim();
  if (text === "") throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return `${text}\n`;
}

if (import.meta.main) {
  const [tag, repository] = Deno.args;
  try {
    if (tag !== `v${VERSION}`) {
      throw new Error(`the tag is ${tag}, and deno.json says ${VERSION}: it has to be v${VERSION}`);
    }
    if (repository !== undefined && repository !== REPOSITORY) {
      throw new Error(`this is ${repository}, and .ci/names.ts says ${REPOSITORY}: install.sh would look there`);
    }
    console.log(notesOf(await Deno.readTextFile(`${ROOT}CHANGELOG.md`), VERSION).trimEnd());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
