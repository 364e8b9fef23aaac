/** The part of a config that yggdrasil's own is made of. */

export const OVERLAY = {
  type: "yggdrasil" as const,
  interface: "ygg",
  tunnel: "auto" as const,
  daemon: "/usr/sbin/yggdrasil",
  peers: ["tls://192.0.2.1:443"],
  listen: [],
  routes: [],
  access: "ping" as const,
};
