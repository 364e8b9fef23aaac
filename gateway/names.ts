/** Names of everything crxn puts on a machine. Who reads the machine finds all that is ours by them. */

export const Path = {
  config: "/etc/crxn/crxn.yaml",
  rules: { inet: "/etc/crxn/rules.v4", inet6: "/etc/crxn/rules.v6" },
  limits: "/etc/crxn/limits.nft",
  // "crxn" sorts after every number, so that it wins over 99-sysctl.conf (sysctl.d(5): the last name wins).
  sysctl: "/etc/sysctl.d/crxn.conf",
  /** What nftables.service loads; a person's. */
  nftables: "/etc/nftables.conf",
  linkScript: "/etc/crxn/link.sh",
  /** Routes and addresses for one call of `ip -batch`, where they are many. */
  overlayBatch: "/etc/crxn/overlay.ip",
  translatorBatch: (instance: string) => `/etc/crxn/translator-${instance}.ip`,
  units: "/etc/systemd/system",
  taygaConfig: (instance: string) => `/etc/tayga/${instance}.conf`,
  /** tayga's list of addresses that it has given out. */
  pool: (instance: string) => `/var/lib/tayga/${instance}/dynamic.map`,
  yggdrasilConfig: "/etc/yggdrasil/yggdrasil.conf",
  state: "/var/lib/crxn",
  journal: "/var/lib/crxn/journal.jsonl",
  /** The way back without crxn. Holds keys, where the journal does. */
  undo: "/var/lib/crxn/undo.sh",
  /** Room for taking back, while something is being changed. */
  reserve: "/var/lib/crxn/reserve",
  /** What `up --confirm` goes back to. Holds keys, where a file of the gateway does. */
  pending: "/var/lib/crxn/confirm.json",
  identity: "/var/lib/crxn/yggdrasil.key",
  /** Of yggdrasil 0.3, which has four keys. */
  oldIdentity: "/var/lib/crxn/yggdrasil-0.3.key",
  /** What crxn has fetched by URL. */
  programs: "/usr/local/lib/crxn",
  /** For the time of a download. Root's, and not in /run: that is memory. */
  downloads: "/var/cache/crxn",
  lock: "/run/crxn.lock",
} as const;

export const Unit = {
  firewall: "crxn-firewall.service",
  overlay: "crxn-overlay.service",
  /** Follows an existing link that comes and goes. */
  link: "crxn-link.service",
  /** Takes back what nobody confirmed. */
  confirm: "crxn-confirm.service",
  confirmTimer: "crxn-confirm.timer",
  /** Mends, from time to time, what others have undone. */
  mend: "crxn-mend.service",
  mendTimer: "crxn-mend.timer",
  /** Writes status as metrics into a file. */
  metrics: "crxn-metrics.service",
  metricsTimer: "crxn-metrics.timer",
  yggdrasil: "yggdrasil.service",
  translator: (instance: string) => `tayga@${instance}.service`,
  /** Debian's own tayga, started at install with a sample config. */
  sampleTranslator: "tayga.service",
} as const;

/** NAME of tayga@NAME.service. */
export const instanceOf = (unit: string): string | undefined => /^tayga@(.+)\.service$/.exec(unit)?.[1];

export const unitPath = (unit: string) => `${Path.units}/${unit}`;
export const dropInPath = (unit: string) => `${Path.units}/${unit}.d/50-crxn.conf`;

/** Sorts behind what others call theirs: the last one counts (systemd.unit(5)). */
export const instanceDropInPath = (unit: string) => `${Path.units}/${unit}.d/zz-crxn.conf`;
export const isOwnDropIn = (path: string) => /\/(50|zz)-crxn\.conf$/.test(path);

export const translatorDevice = (instance: string) => `nat64-${instance}`;

/** The tunnel to a node, after the first digits of its key: it stays the same whatever else the config says. */
export const tunnelDevice = (key: string) => `crxn-${key.slice(0, 8)}`;

/** Of a route behind every other: it takes over when the real one is gone. */
export const LAST_METRIC = 2147483647;

/** crxn's mark on its routes (rt_protos). */
export const OWN_PROTOCOL = "64";

/** The table of nftables with the limits: ours as a whole. */
export const LIMITS_TABLE = "inet crxn";

/** First line of every file of ours. */
export const HEADER = "Made by crxn from /etc/crxn/crxn.yaml: `crxn up` writes it anew, `crxn down` removes it.";
