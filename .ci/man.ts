/** The man pages: crxn(1), one of each command, crxn.yaml(5). From the command line, the schema and the contract. */

import { CHECKS } from "../checks/list.ts";
import example from "../assets/crxn.example.yaml" with { type: "text" };
import { nameOf, type Outline, outlineOf } from "../commands/outline.ts";
import { commandLine } from "../commands/program.ts";
import { VERSION } from "../commands/version.ts";
import { jsonSchema } from "../gateway/config/json_schema.ts";
import { ENVIRONMENT } from "../gateway/permissions.ts";
import { configPage } from "./man_config.ts";
import { EXAMPLES, FILES, SEE_ALSO } from "./man_notes.ts";
import { bold, filled, italic, type Page, pageText, paragraph, prose, tagged, verbatim } from "./roff.ts";

const CONTRACT = new URL("../docs/contract.md", import.meta.url);

/** A line of the help as a sentence. */
const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`.replace(/\.?$/, ".");

/** "<file>" and "[seconds]", as pages have them. */
const placeholder = (text: string) => {
  const dots = text.includes("...") ? " ..." : "";
  const name = `${italic(nameOf(text))}${dots}`;
  return text.startsWith("[") ? `[${name}]` : name;
};

const options = ({ options }: Outline): string[] =>
  options.flatMap(({ long, short, value, description, preset, choices }) => {
    const names = [...(short ? [short] : []), long].map(bold).join(", ");
    const notes = [
      sentence(description),
      ...(choices ? [`One of: ${choices.join(", ")}.`] : []),
      ...(preset ? [`Default: ${preset}.`] : []),
    ];
    return tagged(value ? `${names} ${placeholder(value.text)}` : names, notes.join(" "));
  });

/** The table of the contract. @throws Error where there is none */
function exitCodes(contract: string): string[] {
  const part = /### Exit codes\n([^#]*)/.exec(contract)?.[1] ?? "";
  const rows = [...part.matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  if (rows.length === 0) throw new Error("docs/contract.md has no exit codes");
  return rows.flatMap(([, code, text]) => tagged(bold(code!), sentence(text!)));
}

/** Entries of the same reason together. */
function environment(): string[] {
  const entries: [string[], string][] = [];
  for (const [name, reason] of Object.entries(ENVIRONMENT)) {
    if (reason === "the same") entries.at(-1)![0].push(name);
    else entries.push([[name], reason]);
  }
  return entries.flatMap(([names, reason]) => tagged(names.map(bold).join(", "), sentence(reason)));
}

const examples = (name: string): string[] =>
  (EXAMPLES[name] ?? []).flatMap(([says, words]) => [...paragraph(says), ...verbatim(words)]);

/** References, all but a page's own. */
function seeAlso(own: string, commands: Outline[]): string[] {
  const pages: [string, number][] = [
    ["crxn", 1],
    ...commands.map(({ name }): [string, number] => [`crxn-${name}`, 1]),
    ["crxn.yaml", 5],
    ...SEE_ALSO,
  ];
  return filled(pages.filter(([name]) => name !== own).map(([name, n]) => `${bold(name)}(${n})`).join(", "));
}

function mainPage(outline: Outline, exits: string[]): Page {
  const { commands } = outline;
  const synopsis = `${bold("crxn")} ${italic("command")} [${italic("option")} ...]`;
  return {
    name: "crxn",
    section: 1,
    summary: "NAT64 gateway between the IPv6 Internet and an IPv4 overlay network",
    sections: [
      ["SYNOPSIS", [synopsis, ".br", `${bold("crxn")} ${bold("--version")} | ${bold("--help")}`]],
      ["DESCRIPTION", [
        ...paragraph(outline.description),
        ...paragraph(
          "It installs what is missing, makes devices, routes, rules and units, and the gateway comes back after a crash " +
            "or a reboot without crxn. It shows what flows, names the broken piece when pings fail, and takes everything " +
            "back again. Without a terminal no question is asked: add `--yes`.",
        ),
      ]],
      ["COMMANDS", commands.flatMap(({ name, summary }) => tagged(`${bold(`crxn-${name}`)}(1)`, sentence(summary)))],
      ["OPTIONS", options(outline)],
      ["EXIT STATUS", exits],
      ["ENVIRONMENT", environment()],
      ["FILES", FILES.flatMap(([path, text]) => tagged(italic(path), text))],
      ["EXAMPLES", examples("")],
      ["SEE ALSO", seeAlso("crxn", commands)],
    ],
  };
}

function commandPage(command: Outline, commands: Outline[], exits: string[]): Page {
  const { name, summary, description, args } = command;
  const words = [bold(`crxn ${name}`), `[${italic("option")} ...]`, ...args.map(({ text }) => placeholder(text))];
  return {
    name: `crxn-${name}`,
    section: 1,
    summary,
    sections: [
      ["SYNOPSIS", [words.join(" ")]],
      ["DESCRIPTION", filled(prose(description))],
      [
        "ARGUMENTS",
        args.flatMap(({ text, description, values }) => {
          const choices = values.kind === "words" ? ` One of: ${values.words.join(", ")}.` : "";
          return tagged(placeholder(text), `${sentence(description)}${choices}`);
        }),
      ],
      ["OPTIONS", options(command)],
      ["CHECKS", name === "doctor" ? CHECKS.flatMap(({ id, title }) => tagged(bold(id), sentence(title))) : []],
      ["EXIT STATUS", exits],
      ["EXAMPLES", examples(name)],
      ["SEE ALSO", seeAlso(`crxn-${name}`, commands)],
    ],
  };
}

/** @param time for their date, seconds since 1970 @returns texts by file name, "crxn-up.1" */
export async function manPages(time: number): Promise<Record<string, string>> {
  const outline = outlineOf(await commandLine());
  const exits = exitCodes(await Deno.readTextFile(CONTRACT));
  const pages = [
    mainPage(outline, exits),
    ...outline.commands.map((command) => commandPage(command, outline.commands, exits)),
    configPage(jsonSchema(), example, seeAlso("crxn.yaml", outline.commands)),
  ];
  return Object.fromEntries(pages.map((page) => [`${page.name}.${page.section}`, pageText(page, VERSION, time)]));
}
