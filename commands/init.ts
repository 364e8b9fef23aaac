/** `crxn init`: a config to start from. */

import { Command } from "@commander-js/extra-typings";
import example from "../assets/crxn.example.yaml" with { type: "text" };
import { Program } from "../gateway/action.ts";
import { capabilityOf, STOCK } from "../gateway/capability.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { readDaemon } from "../machine/daemon.ts";
import { findIdentity, keepIdentity } from "../machine/identity.ts";
import type { Runner } from "../machine/run.ts";
import { type Context, requireRoot, requireYggdrasil } from "./context.ts";
import { withCommon } from "./options.ts";

export const initCommand = () =>
  withCommon(
    new Command("init")
      .description(
        "Prints a commented example config to start from, or the JSON Schema with which editors complete it. Two operators\n" +
          "who join their machines exchange the keys that --key prints, before either of them runs `crxn up`.",
      )
      .option("--example", "print a commented example")
      .option("--import", "read a gateway that was made by hand, and write the config with which `up` takes it over")
      .option("--instance <name>", "with --import: the translator, where there are several (/etc/tayga/NAME.conf)")
      .option("--print", "with --import: print the config instead of writing it")
      .option("--schema", "print the JSON Schema of crxn.yaml")
      .option(
        "--key",
        "print this machine's public key in a yggdrasil overlay; makes it if there is none (needs root)",
      )
      .option(
        "--daemon <path>",
        "with --key: the yggdrasil daemon that it is for (0.3 has other keys)",
        Program.yggdrasil,
      ),
    { yes: true },
  );

export async function init(
  context: Context,
  options: {
    example?: true | undefined;
    schema?: true | undefined;
    key?: true | undefined;
    import?: true | undefined;
    instance?: string | undefined;
    print?: true | undefined;
    daemon: string;
  },
): Promise<ExitCode> {
  const { ui, runner, options: { config } } = context;
  if (options.import) {
    const { importGateway } = await import("./import.ts");
    return await importGateway(context, options);
  }
  if (options.schema) {
    const { jsonSchemaText } = await import("../gateway/config/json_schema.ts");
    ui.out(jsonSchemaText().trimEnd());
    return Exit.ok;
  }
  if (options.example) {
    ui.out(example.trimEnd());
    return Exit.ok;
  }
  if (options.key) return await printKey(ui, runner, options.daemon);
  throw new CrxnError(
    Exit.usage,
    "`crxn init` cannot ask yet.",
    `Start from the example: crxn init --example > ${config}`,
  );
}

/** The key that `up` is going to use: of the daemon's config, or kept for it. */
async function printKey(ui: Context["ui"], runner: Runner, path: string): Promise<ExitCode> {
  requireRoot("`crxn init --key`");
  const daemon = await readDaemon(runner, path, true);
  if (!daemon && path !== Program.yggdrasil) {
    throw new CrxnError(
      Exit.unavailable,
      `There is no ${path} on this machine.`,
      "Name the daemon's program with --daemon.",
    );
  }
  requireYggdrasil({ ...(daemon ? { daemon } : {}) });
  const { generation } = capabilityOf(daemon?.normalised ?? "") ?? STOCK;
  const identity = await findIdentity(generation);
  await keepIdentity(identity);
  const { publicKey, address } = identity;
  if (ui.json) ui.out(JSON.stringify({ schema: "crxn.key/1", publicKey, address }, null, 2));
  else ui.out(`public key  ${publicKey}\naddress     ${address}`);
  return Exit.ok;
}
