/** Options that commands share. */

import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { parseAddress } from "../gateway/cidr.ts";
import { Path } from "../gateway/names.ts";

/** Every command has --config and --json; those that change something have --yes, and --wait where they have to be alone. */
// deno-lint-ignore no-explicit-any
export function withCommon<A extends any[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  has: { yes: boolean; wait?: boolean },
) {
  if (has.wait) command.option("--wait [seconds]", "wait for another crxn to end", seconds);
  const common = command
    .option("--config <file>", "the config to use", Path.config)
    .option("--json", "print one JSON document to stdout");
  return has.yes
    ? common.option("--yes", "ask nothing, do it")
    : common.option("--yes", "accepted, and without effect here");
}

/** A time to wait on the command line. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 86_400) {
    throw new InvalidArgumentError(`"${text}" is not a number of seconds from 1 to 86400.`);
  }
  return value;
}

/** How many lines of a log. */
export function lineCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 100_000) {
    throw new InvalidArgumentError(`"${text}" is not a number of lines from 1 to 100000.`);
  }
  return value;
}

/** An IPv4 address on the command line. */
export function ipv4(text: string): string {
  if (parseAddress(text)?.family !== 4) throw new InvalidArgumentError(`"${text}" is not an IPv4 address.`);
  return text;
}
