/** Options that commands share. */

import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { parseAddress } from "../gateway/cidr.ts";
import { Path } from "../gateway/names.ts";

/** Every command has --config and --json; those that change something have --yes. */
// deno-lint-ignore no-explicit-any
export function withCommon<A extends any[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  has: { yes: boolean },
) {
  const common = command
    .option("--config <file>", "the config to use", Path.config)
    .option("--json", "print one JSON document to stdout");
  return has.yes
    ? common.option("--yes", "ask nothing, do it")
    : common.option("--yes", "accepted, and without effect here");
}

/** An IPv4 address on the command line. */
export function ipv4(text: string): string {
  if (parseAddress(text)?.family !== 4) throw new InvalidArgumentError(`"${text}" is not an IPv4 address.`);
  return text;
}
