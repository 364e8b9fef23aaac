/** `crxn completions`: scripts with which shells complete crxn, out of the command line itself. */

import { Argument, Command } from "@commander-js/extra-typings";
import { Exit, type ExitCode } from "../gateway/errors.ts";
import { bashScript } from "./completions_bash.ts";
import { fishScript } from "./completions_fish.ts";
import { zshScript } from "./completions_zsh.ts";
import type { Context } from "./context.ts";
import { withCommon } from "./options.ts";
import { outlineOf } from "./outline.ts";
import { commandLine } from "./program.ts";

export const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
export type Shell = keyof typeof SHELLS;

export const completionsCommand = () =>
  withCommon(
    new Command("completions")
      .description(
        "Prints the script with which a shell completes crxn's commands, options, files and the checks of doctor. The " +
          "Debian package brings all three; without it, `source <(crxn completions bash)` in ~/.bashrc will do.",
      )
      .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SHELLS) as Shell[])),
    { yes: false },
  );

export async function completions({ ui }: Context, shell: Shell): Promise<ExitCode> {
  ui.out((await scriptFor(shell)).trimEnd());
  return Exit.ok;
}

/** The whole text. */
export const scriptFor = async (shell: Shell): Promise<string> => SHELLS[shell](outlineOf(await commandLine()));
