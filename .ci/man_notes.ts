/** What man pages say besides the help and the schema: examples, and what a page has to point to. */

/** Examples by command: what it does, and the words. A command without any has none in its page. */
export const EXAMPLES: Record<string, [string, string][]> = {
  "": [
    [
      "A gateway, step by step, as root:",
      "crxn init\ncrxn up --dry-run\ncrxn up",
    ],
    ["What is broken, and mend it:", "crxn doctor\ncrxn doctor --fix"],
    ["The machine as it was before:", "crxn down"],
  ],
  init: [
    ["A config to start from:", "mkdir -p /etc/crxn\ncrxn init --example > /etc/crxn/crxn.yaml"],
    ["The key that the other operator needs:", "crxn init --key"],
  ],
  up: [
    ["What it would do:", "crxn up --dry-run"],
    ["Over SSH, with a way back; then, from a new session, `crxn confirm`:", "crxn up --confirm 300"],
    ["From a script, with a ping through the gateway at its end:", "crxn up --yes --target 10.1.0.3"],
  ],
  down: [
    ["Everything back, and the packages and keys that crxn brought as well:", "crxn down --purge"],
  ],
  status: [
    ["Every second:", "crxn status --watch"],
    [
      "For node_exporter's textfile collector:",
      "crxn status --prometheus --output /var/lib/prometheus/node-exporter/crxn.prom",
    ],
  ],
  doctor: [
    ["With pings to a host of the overlay:", "crxn doctor --target 10.1.0.3"],
    ["Two checks only, as JSON:", "crxn doctor --only forward-policy,nat-rule --json"],
    ["What a check looks at, and why:", "crxn doctor --explain forward-policy"],
  ],
  address: [
    ["By the prefix of the config, both ways:", "crxn address 10.1.0.3 2a04:5b80:300:4::a01:3"],
    ["By another one:", "crxn address --prefix 2001:db8::/96 10.1.0.3"],
  ],
  completions: [
    [
      "For all users of this machine, where crxn is not from its Debian package:",
      [
        "crxn completions bash > /etc/bash_completion.d/crxn",
        "crxn completions zsh > /usr/local/share/zsh/site-functions/_crxn",
        "crxn completions fish > /etc/fish/completions/crxn.fish",
      ].join("\n"),
    ],
  ],
};

/** What is on the machine, for whoever looks for it. */
export const FILES: [string, string][] = [
  ["/etc/crxn/crxn.yaml", "The config, the only file that a person writes: see crxn.yaml(5)."],
  ["/var/lib/crxn", "What crxn changed and how it was before, kept keys. Only root can read it."],
  ["/var/lib/crxn/undo.sh", "Takes everything back without crxn."],
  [
    "/etc/systemd/system/crxn-*, /etc/sysctl.d/crxn.conf, /etc/tayga",
    "What a gateway consists of; plain files of Debian.",
  ],
  ["/run/crxn.lock", "One crxn at a time."],
];

/** Other pages that help; crxn's own come by themselves. */
export const SEE_ALSO: [string, number][] = [["ip", 8], ["iptables", 8], ["systemctl", 1], ["tayga", 8]];
