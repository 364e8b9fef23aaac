/** A page that is drawn again in its place: xterm's control sequences, which tmux, screen and the Linux console have as well. */

import { put } from "./ui.ts";

export interface Screen {
  /** @returns false when the terminal is gone */
  show(page: string): boolean;
  /** What was there before comes back, with the cursor where it was. */
  close(): void;
}

/** The alternate screen, without cursor, and with lines cut at the right edge instead of going on in the next row. */
const OPEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const CLOSE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** A page as one write, for so many rows: from the top left, each line to its end, then whatever was below. Pure. */
export function drawn(page: string, rows: number): string {
  const lines = page.split("\n");
  const fits = lines.length <= rows;
  const shown = fits ? lines : lines.slice(0, Math.max(rows - 1, 0));
  const note = fits ? [] : [`... ${lines.length - shown.length} more lines, for which this window is too small`];
  // No newline behind the last row: it would move all up by one.
  return `\x1b[H${[...shown, ...note].join("\x1b[K\r\n")}\x1b[K\x1b[J`;
}

/** @returns undefined where stdout is no terminal that knows these sequences */
export function openScreen(stdout: { isTerminal(): boolean }): Screen | undefined {
  if (!stdout.isTerminal() || Deno.env.get("TERM") === "dumb") return undefined;
  put(OPEN);
  let last = "";
  const draw = () => put(drawn(last, rowsOf()));
  Deno.addSignalListener("SIGWINCH", draw);
  return {
    show: (page) => {
      last = page;
      return draw();
    },
    close: () => {
      Deno.removeSignalListener("SIGWINCH", draw);
      put(CLOSE);
    },
  };
}

function rowsOf(): number {
  try {
    return Deno.consoleSize().rows || 24;
  } catch {
    return 24;
  }
}
