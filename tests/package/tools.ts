import type { Requirement } from "../rig/requirements.ts";

/** What reads and judges the parts of a release, on the host of the tests. */
export const PACKAGE_TOOLS: readonly Requirement[] = [
  { file: "/usr/bin/lintian", package: "lintian" },
  { file: "/usr/bin/dpkg-shlibdeps", package: "dpkg-dev" },
  { file: "/usr/bin/man", package: "man-db" },
  { file: "/usr/bin/groff", package: "groff-base" },
  { file: "/usr/bin/mandoc", package: "mandoc" },
  { file: "/usr/bin/zsh", package: "zsh" },
  { file: "/usr/bin/fish", package: "fish" },
  { file: "/usr/share/bash-completion/bash_completion", package: "bash-completion" },
  { file: "/usr/bin/script", package: "bsdutils" },
  { file: "/usr/bin/shellcheck", package: "shellcheck" },
];
