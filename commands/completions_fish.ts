/** Completion for fish: complete(1). */

import type { Outline, OutlineOption, Values } from "./outline.ts";

const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return ` -x -a ${quoted(values.words.join(" "))}`;
    case "list":
      return ` -x -a ${quoted(`(__crxn_list ${values.words.join(" ")})`)}`;
    case "file":
      return " -r -F";
    case "interface":
      return " -x -a '(__fish_print_interfaces)'";
    case "any":
      return " -x";
  }
}

function option(condition: string, { long, short, description, value }: OutlineOption): string {
  // An optional value may be left out, and what follows is completed as if it were.
  const behind = value && !(value.optional && value.values.kind === "any") ? action(value.values) : "";
  return `complete -c crxn -n ${quoted(condition)} -l ${long.replace(/^--/, "")}${
    short ? ` -s ${short.replace(/^-/, "")}` : ""
  }${behind} -d ${quoted(description)}`;
}

function ofCommand({ name, options, args }: Outline): string[] {
  const condition = `__crxn_in ${name}`;
  const [first] = args;
  const values = first && first.values.kind !== "any"
    ? [`complete -c crxn -n ${quoted(condition)}${action(first.values).replace(" -x", "").replace(" -r", "")}`]
    : [];
  return [...options.map((o) => option(condition, o)), ...values];
}

export function fishScript({ options, commands }: Outline): string {
  return `# fish completion for crxn; \`crxn completions fish\` prints it.

# The command on the line so far.
function __crxn_command
    for word in (commandline -opc)[2..]
        if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __crxn_in
    set -l command (__crxn_command)
    test "$command" = "$argv[1]"
end

# Several words with commas between them.
function __crxn_list
    set -l token (string replace -r -- '^--[^=]*=' '' "$(commandline -ct)")
    set -l head (string replace -r -- '[^,]*$' '' "$token")
    for word in $argv
        contains -- $word (string split , -- "$head"); or echo $head$word
    end
end

complete -c crxn -f
${options.map((o) => option("__crxn_in ''", o)).join("\n")}
${commands.map(({ name, summary }) => `complete -c crxn -n "__crxn_in ''" -a ${name} -d ${quoted(summary)}`).join("\n")}
complete -c crxn -n "__crxn_in ''" -a help -d 'show help for a command'
complete -c crxn -n '__crxn_in help' -a ${quoted(commands.map(({ name }) => name).join(" "))}
${commands.flatMap(ofCommand).join("\n")}
`;
}
