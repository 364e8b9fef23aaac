/** sysctl.d(5): what the next boot sets, file by file. */

import type { SysctlLine } from "../gateway/host.ts";
import { HOST } from "./always.ts";
import { readSeen } from "./files.ts";
import { must, type Runner } from "./run.ts";

/** The first of `.` and `/` in a key is its separator; in the dotted form the other one stands for a dot (sysctl.d(5)). */
export function slashKey(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  return first === "." ? key.replace(/[./]/g, (c) => c === "." ? "/" : ".") : key;
}

/** One file, line by line. What is no assignment is passed over, as systemd does. */
export function parseSysctlFile(text: string, file: string): SysctlLine[] {
  return text.split("\n").flatMap((raw, i): SysctlLine[] => {
    const line = raw.trim();
    if (line === "" || /^[#;]/.test(line)) return [];
    const found = /^(-?)\s*([^=\s]+)\s*(?:=\s*(.*))?$/.exec(line);
    if (!found || (found[1] === "" && found[3] === undefined)) return [];
    const value = found[3] === undefined ? {} : { value: found[3].trim() };
    return [{ file, line: i + 1, key: slashKey(found[2]!), ...value }];
  });
}

/**
 * `systemd-sysctl --cat-config`: each file behind a line `# /its/path`, with an empty line before it. A comment that looks
 * like that, in a file, would be taken for one: it names only what is below a folder of sysctl.d, or /etc/sysctl.conf's link.
 */
export function parseCatConfig(output: string): SysctlLine[] {
  const lines: SysctlLine[] = [];
  let [file, text]: [string, string[]] = ["", []];
  const end = () => lines.push(...parseSysctlFile(text.join("\n"), file));
  for (const line of output.split("\n")) {
    const path = /^# (\/\S*\/sysctl\.d\/[^/\s]+\.conf)$/.exec(line)?.[1];
    if (path === undefined) text.push(line);
    else {
      end();
      [file, text] = [path, []];
    }
  }
  end();
  return lines;
}

export const readSysctlLines = async (runner: Runner): Promise<SysctlLine[]> =>
  parseCatConfig((await must(runner, HOST.sysctlFiles)).stdout);

const CONF = "/etc/sysctl.conf";

/** On Debian 12 a link in sysctl.d leads to it, so the boot reads it as well; Debian 13 has neither. */
export async function readSysctlConf(): Promise<SysctlLine[]> {
  const seen = await readSeen(CONF);
  return parseSysctlFile(seen?.content ?? "", CONF);
}
