import { scriptFor, type Shell } from "../../commands/completions.ts";
import { must, run } from "../rig/process.ts";

// Real shells on pseudo-terminals (script(1)), at which somebody presses the tabulator key.

/** What a line shows when it is run: each word, so that what was completed can be told from what was only listed. */
const CRXN = `crxn() { printf '<%s>' "$@"; echo; }`;
const END = "that was-all";

const START: Record<"bash" | "zsh", { argv: string; lines: (script: string) => string[] }> = {
  bash: {
    argv: "bash --norc --noprofile -i",
    lines: (
      script,
    ) => [
      "bind 'set bell-style none'; bind 'set completion-query-items -1'; bind 'set page-completions off'",
      `source ${script}`,
    ],
  },
  zsh: {
    argv: "zsh -f -i",
    lines: (script) => [
      "unsetopt beep prompt_sp; zmodload zsh/complist; LISTMAX=0; autoload -Uz compinit",
      `fpath=(${script.replace(/\/[^/]*$/, "")} $fpath); compinit -u -D`,
    ],
  },
};

/** Where a shell looks for completions by itself. */
export const LOOKS: Record<Shell, string[]> = {
  bash: [
    "bash",
    "--norc",
    "-c",
    "source /usr/share/bash-completion/bash_completion; _comp_load crxn 2>/dev/null || _completion_loader crxn; complete -p crxn",
  ],
  zsh: ["zsh", "-f", "-c", "print -l $fpath"],
  fish: ["fish", "-c", "printf '%s\\n' $fish_complete_path"],
};

/** Writes a shell's script where it looks for it. @returns the path */
export async function installed(shell: Shell, folder: string): Promise<string> {
  const path = `${folder}/${shell === "zsh" ? "_crxn" : `crxn.${shell}`}`;
  await Deno.writeTextFile(path, await scriptFor(shell));
  return path;
}

/**
 * Types lines into a shell, one after the other, "\t" is the tabulator key.
 * @returns what the terminal showed for each
 */
export async function typed(shell: "bash" | "zsh", folder: string, lines: string[]): Promise<string[]> {
  const script = await installed(shell, folder);
  const child = new Deno.Command("script", {
    args: ["-qfec", START[shell].argv, "/dev/null"],
    cwd: folder,
    env: { TERM: "dumb", PS1: "$ ", LC_ALL: "C.UTF-8", HOME: folder, COLUMNS: "200" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [writer, reader] = [child.stdin.getWriter(), child.stdout.getReader()];
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const shown: string[] = [];
  try {
    let text = "";
    const upTo = async (mark: string) => {
      while (!text.includes(mark)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`${shell} ended, and said: ${text}`);
        text += new TextDecoder().decode(value);
      }
      const before = text.slice(0, text.indexOf(mark));
      text = text.slice(text.indexOf(mark) + mark.length);
      return before;
    };
    const type = async (line: string) => {
      await writer.write(new TextEncoder().encode(line));
      // What a line prints ends with words that the line itself does not have as they are.
      await writer.write(new TextEncoder().encode(`\necho ${END.replace("-", "'-'")}\n`));
      return await upTo(`\n${END}`);
    };
    const start = ["stty cols 200 -echoctl; PS1='$ '", ...START[shell].lines(script), CRXN];
    for (const line of start) await type(line);
    for (const line of lines) shown.push((await type(line)).replaceAll("\r", ""));
    await writer.write(new TextEncoder().encode("exit\n"));
  } finally {
    clearTimeout(limit);
    await writer.close().catch(() => {});
    while (!(await reader.read()).done);
    await child.status;
  }
  return shown;
}

/** What fish offers for a line that is not finished: words, without what it says of them. */
export async function offeredByFish(folder: string, line: string): Promise<string[]> {
  const script = await installed("fish", folder);
  const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, LC_ALL: "C.UTF-8" };
  const argv = ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line];
  const text = await must(argv, { cwd: folder, env });
  return text.split("\n").filter((l) => l !== "").map((l) => l.split("\t")[0]!);
}

/** What bash offers for words, the last of which is not finished. */
export async function offeredByBash(folder: string, words: string[]): Promise<string[]> {
  const script = await installed("bash", folder);
  // compopt is for the terminal: tests that type show that it does no harm.
  const text = `source "$1"; compopt() { :; }; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _crxn; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run(["bash", "--norc", "-euc", text, "bash", script, ...words], { cwd: folder });
  if (stderr !== "") throw new Error(`bash: ${stderr}`);
  return stdout.split("\n").filter((l) => l !== "");
}
