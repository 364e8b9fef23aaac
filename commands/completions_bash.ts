/** Completion for bash(1), "Programmable Completion". Needs nothing of the package bash-completion. */

import type { Outline, Values } from "./outline.ts";

/** What completes a value; undefined where nothing can. */
function reply(values: Values): string | undefined {
  switch (values.kind) {
    case "words":
      return `_crxn_words "${values.words.join(" ")}"`;
    case "list":
      return `_crxn_list "${values.words.join(" ")}"`;
    case "file":
      return "_crxn_files";
    case "interface":
      return "_crxn_interfaces";
    case "any":
      return undefined;
  }
}

/** Options of a command whose value stands alone: behind them comes nothing else. */
function valueCases({ name, options }: Outline): string[] {
  return options.flatMap(({ long, short, value }) => {
    if (!value || (value.optional && value.values.kind === "any")) return [];
    const words = [long, ...(short ? [short] : [])].map((word) => `"${name} ${word}"`);
    return [
      `        ${words.join(" | ")})`,
      `            ${reply(value.values) ?? ":"}`,
      "            return",
      "            ;;",
    ];
  });
}

function commandCase({ name, options, args }: Outline): string[] {
  const flags = options.flatMap(({ long, short }) => [long, ...(short ? [short] : [])]).join(" ");
  const [first] = args;
  // Options where nothing else can stand, arguments otherwise.
  const otherwise = first ? reply(first.values) ?? ":" : `_crxn_words "${flags}"`;
  return [
    `        ${name})`,
    `            if [[ $cur == -* ]]; then _crxn_words "${flags}"; else ${otherwise}; fi`,
    "            ;;",
  ];
}

export function bashScript({ options, commands }: Outline): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for crxn; \`crxn completions bash\` prints it.

_crxn_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# Several words with commas between them.
_crxn_list() {
    local word head=''
    [[ $cur != *,* ]] || head=\${cur%,*},
    for word in $1; do
        if [[ ,$head != *,$word,* && $head$word == "$cur"* ]]; then COMPREPLY+=("$head$word"); fi
    done
    compopt -o nospace
}

_crxn_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_crxn_interfaces() {
    local path
    for path in /sys/class/net/"$cur"*; do
        [[ ! -e $path ]] || COMPREPLY+=("\${path##*/}")
    done
}

_crxn() {
    local cur=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD - 1]} command='' i
    COMPREPLY=()
    # "--option=value" comes in three words, for "=" is in COMP_WORDBREAKS.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=\${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ \${COMP_WORDS[i]} != -* ]]; then
            command=\${COMP_WORDS[i]}
            break
        fi
    done
    case "$command $option" in
${commands.flatMap(valueCases).join("\n")}
    esac
    case $command in
        "")
            if [[ $cur == -* ]]; then _crxn_words "${
    options.map(({ long }) => long).join(" ")
  }"; else _crxn_words "${names} help"; fi
            ;;
        help)
            _crxn_words "${names}"
            ;;
${commands.flatMap(commandCase).join("\n")}
    esac
}

complete -F _crxn crxn
`;
}
