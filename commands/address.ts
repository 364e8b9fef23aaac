/** `crxn address`: RFC 6052 both ways. */

import { Command } from "@commander-js/extra-typings";
import { embed, extract } from "../gateway/address.ts";
import { parseAddress } from "../gateway/cidr.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { type Context, loadConfig } from "./context.ts";
import { withCommon } from "./options.ts";

export const addressCommand = () =>
  withCommon(
    new Command("address")
      .description("10.1.0.3 -> 2a04:5b80:300:4::a01:3, and back, by the prefix of the config.")
      .argument("<address...>", "IPv4 or IPv6 addresses")
      .option("--prefix <prefix>", "the NAT64 prefix, instead of the config's"),
    { yes: false },
  );

export async function address(
  context: Context,
  addresses: string[],
  options: { prefix?: string | undefined },
): Promise<ExitCode> {
  const { ui } = context;
  const prefix = options.prefix ?? (await loadConfig(context.options.config)).config.prefix;
  if (!prefix) {
    throw new CrxnError(
      Exit.config,
      "The config has no prefix: this is an overlay node.",
      "Name a prefix with --prefix.",
    );
  }
  const results = addresses.map((given) => ({ given, result: convert(prefix, given) }));
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.address/1", prefix, addresses: results }, null, 2));
  else for (const { result } of results) ui.out(result);
  return Exit.ok;
}

function convert(prefix: string, given: string): string {
  const parsed = parseAddress(given);
  if (!parsed) throw new CrxnError(Exit.usage, `"${given}" is not an IP address.`, "Try 10.1.0.3, or an IPv6 address.");
  try {
    return parsed.family === 4 ? embed(prefix, given) : extract(prefix, given);
  } catch (error) {
    throw new CrxnError(Exit.usage, error instanceof Error ? error.message : String(error), `The prefix is ${prefix}.`);
  }
}
