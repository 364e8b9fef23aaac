/** What a kernel parameter will be after the next boot, and which file decides. Pure. */

import type { SysctlLine } from "../gateway/host.ts";

/** The line that decides, with the value it sets. */
export interface Decision {
  file: string;
  line: number;
  value: string;
}

/** Names that are the same parameter of the kernel. */
const ALIAS: Record<string, string> = { "net/ipv4/conf/all/forwarding": "net/ipv4/ip_forward" };
const canonical = (key: string) => ALIAS[key] ?? key;

/** Whether a pattern of sysctl.d(5) means this key: glob(7), where `*` and `?` stop at a slash. */
export function matches(pattern: string, key: string): boolean {
  const source = pattern.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
  try {
    return new RegExp(`^${source}$`).test(key);
  } catch {
    return false;
  }
}

const isPattern = (key: string) => /[*?[]/.test(key);

/**
 * As systemd-sysctl does it: for each key the last line counts, and a line with a key's own name wins over any pattern,
 * wherever it is. `-KEY` without a value keeps the key out of all patterns.
 */
export function decision(lines: SysctlLine[], key: string): Decision | undefined {
  const own = lines.findLast((l) => !isPattern(l.key) && canonical(l.key) === canonical(key));
  const deciding = own ?? lines.findLast((l) => isPattern(l.key) && matches(l.key, key));
  if (!deciding || deciding.value === undefined) return undefined;
  return { file: deciding.file, line: deciding.line, value: deciding.value };
}

/** For sysctl(8) itself, which applies line by line: whatever comes last. It knows patterns, too. */
export function lastOf(lines: SysctlLine[], key: string): Decision | undefined {
  const last = lines.findLast((l) =>
    l.value !== undefined && (canonical(l.key) === canonical(key) || (isPattern(l.key) && matches(l.key, key)))
  );
  return last && { file: last.file, line: last.line, value: last.value! };
}

export const placeOf = ({ file, line }: Decision): string => `${file}:${line}`;
