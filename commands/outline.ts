/** The command line as plain data, for what is made of it: completions and man pages. Hidden things are not in it. */

import { CHECKS } from "../checks/list.ts";
import type { Argument, Command, Option } from "@commander-js/extra-typings";

/** What can stand for a value, by its name in the help. */
export type Values =
  | { kind: "words"; words: readonly string[] }
  /** Several of them, with commas between. */
  | { kind: "list"; words: readonly string[] }
  | { kind: "file" }
  | { kind: "interface" }
  /** Nothing that a shell could know. */
  | { kind: "any" };

export interface OutlineOption {
  /** "--config" */
  long: string;
  /** "-c", where it has one. */
  short?: string;
  description: string;
  /** Its value as the help has it: "<file>", "[seconds]". */
  value?: { text: string; optional: boolean; values: Values };
  /** What holds without it, where the help says so. */
  preset?: string;
  choices?: readonly string[];
  /** It may be there several times. */
  repeatable?: true;
}

export interface OutlineArgument {
  /** "<address...>" */
  text: string;
  description: string;
  variadic: boolean;
  values: Values;
}

export interface Outline {
  name: string;
  /** A line, without a full stop. */
  summary: string;
  /** Sentences. */
  description: string;
  options: OutlineOption[];
  args: OutlineArgument[];
  commands: Outline[];
}

const ids = () => CHECKS.map(({ id }) => id);

/** What the placeholders of options and arguments mean. An unknown one is completed by nothing. */
const KINDS: Record<string, () => Values> = {
  file: () => ({ kind: "file" }),
  path: () => ({ kind: "file" }),
  id: () => ({ kind: "words", words: ids() }),
  ids: () => ({ kind: "list", words: ids() }),
  interface: () => ({ kind: "interface" }),
  device: () => ({ kind: "interface" }),
};

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices) return { kind: "words", words: choices };
  return KINDS[name]?.() ?? { kind: "any" };
}

/** What is between the outer brackets of a placeholder: "network[=via]" of "<network[=via]>". */
export const nameOf = (text: string): string => text.replace(/^[<[]|(?:\.\.\.)?[>\]]$/g, "");

/** By what the help says: commander knows only options that take several words at once. */
const isRepeatable = (description: string) => /; repeatable$/.test(description);

function optionOf({ long, short, flags, description, defaultValue, argChoices }: Option): OutlineOption {
  const text = /[<[].*[>\]]$/.exec(flags)?.[0];
  // commander takes every "[" for an optional value, that of "<network[=via]>" as well.
  const optional = text?.startsWith("[") ?? false;
  return {
    long: long!,
    ...(short ? { short } : {}),
    description,
    ...(text ? { value: { text, optional, values: valuesOf(nameOf(text), argChoices) } } : {}),
    ...(typeof defaultValue === "string" ? { preset: defaultValue } : {}),
    ...(argChoices ? { choices: argChoices } : {}),
    ...(isRepeatable(description) ? { repeatable: true as const } : {}),
  };
}

function argumentOf(argument: Argument): OutlineArgument {
  const { description, variadic, required, argChoices } = argument;
  const name = argument.name();
  const inside = `${name}${variadic ? "..." : ""}`;
  return {
    text: required ? `<${inside}>` : `[${inside}]`,
    description,
    variadic,
    values: valuesOf(name, argChoices),
  };
}

/** @param command as commander has it, with the commands below it */
export function outlineOf(command: Command): Outline {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: command.summary(),
    description: command.description(),
    options: help.visibleOptions(command).map((o) => optionOf(o as Option)),
    args: command.registeredArguments.map((a) => argumentOf(a as Argument)),
    commands: help.visibleCommands(command).filter((c) => c.name() !== "help").map((c) => outlineOf(c as Command)),
  };
}
