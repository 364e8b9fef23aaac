/** `crxn init`: makes a config; or an example, its schema, this node's key. */

import { Command } from "@commander-js/extra-typings";
import example from "../assets/crxn.example.yaml" with { type: "text" };
import { Program } from "../gateway/action.ts";
import { capabilityOf, STOCK } from "../gateway/capability.ts";
import { CrxnError, Exit, type ExitCode } from "../gateway/errors.ts";
import { readDaemon } from "../machine/daemon.ts";
import { findIdentity, keepIdentity } from "../machine/identity.ts";
import { type Context, requireRoot, requireYggdrasil } from "./context.ts";
import type { MakeOptions } from "./init_config.ts";
import { withAnswers } from "./init_options.ts";
import { withCommon } from "./options.ts";

export const initCommand = () =>
  withCommon(
    withAnswers(
      new Command("init")
        .description(
          "Looks at this machine, asks for what it does not tell, shows the config and writes it to --config. Options answer " +
            "questions ahead. Without a terminal nothing is asked, and what is missing is named. Two operators who join " +
            "their machines exchange the keys that --key prints, before either of them runs `crxn up`.",
        )
        .option("--import", "read a gateway made by hand, and write the config with which `up` takes it over")
        .option("--example", "print a commented example of all keys")
        .option("--schema", "print the JSON Schema of crxn.yaml")
        .option(
          "--key",
          "print this machine's public key in a yggdrasil overlay; makes it if there is none (needs root)",
        ),
    ),
    { yes: true },
  );

interface InitOptions extends MakeOptions {
  import?: true | undefined;
  example?: true | undefined;
  schema?: true | undefined;
  key?: true | undefined;
}

/** Options that `--import` knows. */
const WITH_IMPORT = new Set(["import", "instance", "print", "config", "json", "yes"]);

export async function init(context: Context, options: InitOptions): Promise<ExitCode> {
  const { ui } = context;
  if (options.import) {
    const stray = Object.entries(options).find(([key, said]) => said !== undefined && !WITH_IMPORT.has(key));
    if (stray) {
      throw new CrxnError(
        Exit.usage,
        `--import reads the gateway that is there: --${stray[0]} cannot be said of it.`,
        "Leave it out, and edit the config that it writes. Of several gateways --instance names one.",
      );
    }
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
  if (options.key) return await printKey(context, options.daemon);
  const { makeConfig } = await import("./init_config.ts");
  return await makeConfig(context, options);
}

/** Of the config that is there. */
async function presentDaemon(config: string): Promise<string | undefined> {
  const { readPresent } = await import("./init_config.ts");
  return (await readPresent(config))?.settings.daemon;
}

/** The key that `up` is going to use: of the daemon's config, or kept for it. */
async function printKey({ ui, runner, options }: Context, given: string | undefined): Promise<ExitCode> {
  requireRoot("`crxn init --key`");
  const path = given ?? await presentDaemon(options.config) ?? Program.yggdrasil;
  const daemon = await readDaemon(runner, path, true);
  if (!daemon && path !== Program.yggdrasil) {
    throw new CrxnError(
      Exit.unavailable,
      `There is no ${path} on this machine.`,
      given
        ? "Name the daemon's program with --daemon."
        : `${options.config} names it; another is named with --daemon.`,
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
