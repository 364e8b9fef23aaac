import { parseLong } from "./long_lists.ts";
import { formatNetwork, network } from "../cidr.ts";
import { draftOf } from "./draft.ts";
import type { Issue } from "./explain.ts";
import { placesOf } from "./places.ts";
import { ConfigError, type Finding, placed, type Problem } from "./problem.ts";
import { nat64Defaults, type Parsed, schema } from "./schema.ts";
import { read } from "./schema_read.ts";
import { defaultRouted, semanticFindings } from "./semantics.ts";
import type { Config } from "./types.ts";
import { spanSeconds } from "./span.ts";
import { automatic, type MachineSize } from "../workers.ts";

export { problemsOnMachine } from "./on_machine.ts";

/** Enough for one translator. */
const SMALLEST: MachineSize = { cores: 1, memory: 0 };

/** Far above any config, far below what could keep a parser busy (characters). */
const LONGEST = 256 * 1024;

/** YAML 1.2.2, 5.1: what is not printable. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/**
 * What the quick parser takes in silence and this file does not have: tabs, anchors, aliases, tags, merges, directives, numbers
 * in other notations. It may also stand in a comment, so a hit only means to look closely.
 */
const SUSPICIOUS = /\t|(^|[\s[\]{},:-])([&*!?]|<<)|^%|(^|[\s[\],:])[-+]?(0[0-9xob]|[0-9]+_)/m;

/**
 * Reads and checks crxn.yaml: the whole contract of the config, before anything else is looked at.
 * @param file its name, for the places in messages
 * @param size what `workers: auto` goes by
 * @throws ConfigError (78) with all problems in file order
 */
export async function parseConfig(text: string, file: string, size: MachineSize = SMALLEST): Promise<Config> {
  const { document, fault } = quickParse(text);
  const parsed = fault ? undefined : read(schema, withAddresses(document));
  const semantic = fault ? [] : semanticFindings(draftOf(document));
  if (parsed && semantic.length === 0 && !SUSPICIOUS.test(text)) return normalise(parsed, size);
  const { judge } = await import("./schema_zod.ts");
  const result = parsed ? { data: parsed } : fault ? { issues: [] } : judge(withAddresses(document));
  const issues = "issues" in result ? result.issues.map((i) => asWritten(i, document)) : [];
  const problems = await locate(text, file, document, fault, issues, semantic);
  if (problems.length > 0 || "issues" in result) throw new ConfigError(problems);
  return normalise(result.data as Parsed, size);
}

function quickParse(text: string): { document?: unknown; fault?: Finding } {
  const broken = (message: string, remedy: string, place = { line: 1, column: 1 }) => ({
    fault: { path: [], place, message, remedy },
  });
  if (text.length > LONGEST) {
    return broken("the file is far too long for a config", "write one crxn.yaml of some dozen lines");
  }
  const control = text.search(CONTROL);
  if (control >= 0) {
    const before = text.slice(0, control).split("\n");
    const name = `U+${text.charCodeAt(control).toString(16).toUpperCase().padStart(4, "0")}`;
    const place = { line: before.length, column: before.at(-1)!.length + 1 };
    return broken(`not YAML: a control character (${name})`, "remove it; write the file as plain UTF-8 text", place);
  }
  try {
    const document = parseLong(text);
    const example = "compare with `crxn init --example`";
    if (document === null || document === undefined) {
      return broken("the file is empty", `write address and overlay: ${example}`);
    }
    if (Array.isArray(document)) {
      return broken(
        "the file is a list, not a map of keys",
        `start with address: and overlay:, without '-': ${example}`,
      );
    }
    if (typeof document !== "object") {
      return broken(
        "the file is one value, not a map of keys",
        `write KEY: VALUE, with a space behind the colon: ${example}`,
      );
    }
    return { document };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof RangeError) {
      return broken("lists or maps are nested too deeply", "compare with `crxn init --example`");
    }
    const [, message, line, column] =
      /^(.*?)(?: at line (\d+), column (\d+):?)?$/.exec(error.message.split("\n")[0]!) ?? [];
    const place = line ? { line: Number(line), column: Number(column) } : undefined;
    return broken(`not YAML: ${message}`, "compare with `crxn init --example`", place);
  }
}

/** Gives every finding its place; of several at one place the first stays. */
async function locate(
  text: string,
  file: string,
  document: unknown,
  fault: Finding | undefined,
  issues: Issue[],
  semantic: Finding[],
): Promise<Problem[]> {
  // A text that the quick parser could not bear is not given to the thorough one.
  if (fault && /too (long|deep)/.test(fault.message)) return placed([fault], file, () => fault.place!);
  const { explain } = await import("./explain.ts");
  const places = await placesOf(text);
  const shape = explain(issues, document, places);
  const own = [...places.findings];
  if (fault && own.length === 0) own.push(fault);
  return placed([...own, ...shape, ...semantic], file, ({ path, at }) => places.at(path, at));
}

/** One address stands for a list of one. */
function withAddresses(document: unknown): unknown {
  if (typeof document !== "object" || document === null || !("address" in document)) return document;
  const { address } = document;
  // An empty value is not an address: the schema says so at its place.
  return { ...document, address: Array.isArray(address) ? address : [address] };
}

/** An issue at its path in the file, where a single address is no list. */
function asWritten(issue: Issue, document: unknown): Issue {
  const inList = issue.path[0] === "address" && issue.path.length > 1;
  const isList = inList && Array.isArray((document as { address?: unknown }).address);
  return inList && !isList ? { ...issue, path: ["address"] } : issue;
}

function normalise(parsed: Parsed, size: MachineSize): Config {
  const { address: [address, ...more], prefix, routed, uplink, overlay, nat64 = nat64Defaults(), upkeep } = parsed;
  return {
    address: address!,
    ...(more.length > 0 ? { moreAddresses: more } : {}),
    ...(prefix === undefined ? {} : { prefix, routed: routed ?? formatNetwork(defaultRouted(network(prefix))) }),
    ...(uplink === undefined ? {} : { uplink }),
    // A gateway is for strangers; a node's hosts are its neighbours.
    overlay: { ...overlay, access: overlay.access ?? (prefix === undefined ? "all" : "ping") },
    ...(prefix === undefined
      ? {}
      : { nat64: { ...nat64, workers: nat64.workers === "auto" ? automatic(nat64, size) : nat64.workers } }),
    ...upkeepOf(upkeep),
  };
}

/** Nothing of it where nothing is switched on. */
function upkeepOf({ mend = false, metrics }: Parsed["upkeep"] = {}): Pick<Config, "upkeep"> {
  if (mend === false && metrics === undefined) return {};
  return {
    upkeep: {
      ...(mend === false ? {} : { mend: spanSeconds(mend) }),
      ...(metrics === undefined ? {} : { metrics }),
    },
  };
}
