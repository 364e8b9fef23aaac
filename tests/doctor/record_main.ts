/** Runs on a machine instead of crxn: prints what the checks are put to. Its argument is the target. */

import { CHECKS } from "../../checks/list.ts";
import { loadConfig, system } from "../../commands/context.ts";
import { examine } from "../../commands/doctor.ts";
import { terminalUi } from "../../commands/ui.ts";
import { Path } from "../../gateway/names.ts";
import { encode } from "../recorded/codec.ts";

const context = { options: { config: Path.config, json: true, yes: false }, ui: terminalUi(true), runner: system() };
const wanted = new Set(CHECKS.map((check) => check.id));
const { input } = await examine(context, await loadConfig(Path.config), wanted, Deno.args[0]);
console.log(JSON.stringify(encode(input)));
