/** Completion for zsh: zshcompsys(1), _arguments. */

import { nameOf, type Outline, type OutlineArgument, type OutlineOption, type Values } from "./outline.ts";

/** A word for the shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Text in a specification of _arguments: what would end it has a backslash. */
const plain = (text: string) => text.replace(/[\\\][:]/g, "\\$&");

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return `(${values.words.join(" ")})`;
    case "list":
      return `_values -s , check ${values.words.join(" ")}`;
    case "file":
      return "_files";
    case "interface":
      return "_net_interfaces";
    case "any":
      // No match. A single space would be a message instead, and _arguments would complete no option either.
      return "( )";
  }
}

function option({ long, short, description, value, repeatable }: OutlineOption): string[] {
  const behind = value ? `${value.optional ? "::" : ":"}${plain(nameOf(value.text))}:${action(value.values)}` : "";
  const text = `[${plain(description)}]`;
  const often = repeatable ? "*" : "";
  return [
    quoted(`${often}${long}${value ? "=" : ""}${text}${behind}`),
    ...(short ? [quoted(`${often}${short}${value ? "+" : ""}${text}${behind}`)] : []),
  ];
}

const argument = ({ description, variadic, text, values }: OutlineArgument, i: number): string =>
  quoted(`${variadic ? "*" : `${i + 1}`}:${text.startsWith("[") ? ":" : ""}${plain(description)}:${action(values)}`);

export function zshScript({ options, commands }: Outline): string {
  const specifications = (all: string[]) => all.map((one) => ` \\\n                    ${one}`).join("");
  return `#compdef crxn
# zsh completion for crxn; \`crxn completions zsh\` prints it.

_crxn_commands() {
    local -a commands
    commands=(
${commands.map(({ name, summary }) => `        ${quoted(`${plain(name)}:${summary}`)}`).join("\n")}
        'help:show help for a command'
    )
    _describe -t commands command commands
}

_crxn() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C ${options.flatMap(option).join(" ")} '1: :_crxn_commands' '*:: :->rest'
    if [[ $state == rest ]]; then
        curcontext="\${curcontext%:*:*}:crxn-$words[1]:"
        case $words[1] in
            help)
                _arguments '1: :_crxn_commands'
                ;;
${
    commands.map(({ name, options, args }) =>
      [
        `            ${name})`,
        `                _arguments${specifications([...options.flatMap(option), ...args.map(argument)])}`,
        "                ;;",
      ].join("\n")
    ).join("\n")
  }
        esac
    fi
}

# Loaded from fpath it is called at once; read by \`source\` it is made known.
if [[ $funcstack[1] == _crxn ]]; then _crxn "$@"; else compdef _crxn crxn; fi
`;
}
