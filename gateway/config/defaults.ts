/** What holds where the config says nothing; without the schema, which takes time to load. */
export const DEFAULTS = {
  interface: "ygg",
  daemon: "/usr/sbin/yggdrasil",
  instance: "ygg",
  pool: "100.64.0.0/16",
  clients: ["::/0"],
} as const;
