/** Configs with keys that are unknown, missing or at the wrong place. */

import { type BrokenConfig, KEY, PEER, wg, ygg } from "./base.ts";

export const KEYS: BrokenConfig[] = [
  wg("unknown key", "uplink:", "uplnk:", "4:1", "did you mean uplink?"),
  wg(
    "unknown key in a list",
    "    - to: 10.0.0.0/8",
    "    - to: 10.0.0.0/8\n      vai: 10.9.0.1",
    "10:7",
    "did you mean via?",
  ),
  wg("key at the wrong level", "uplink: eth0", "pool: 100.64.0.0/16", "4:1", "it belongs below nat64:"),
  wg(
    "key of the other overlay type",
    "interface: wg0",
    `interface: wg0\n  peers: [${PEER}]`,
    "8:3",
    "peers belongs to type: yggdrasil",
  ),
  wg("__proto__", "uplink: eth0", "__proto__: {admin: true}", "4:1", '"__proto__" is not a key'),
  wg("address missing", "address: 10.5.0.1/32\n", "", "1:1", "address is missing"),
  { name: "overlay missing", yaml: "address: 10.5.0.1/32\n", at: "1:1", says: "overlay is missing" },
  wg("interface missing", "  interface: wg0\n", "", "5:1", "interface is missing in overlay"),
  ygg("via missing", `\n      via: ${KEY}`, "", "9:7", "via is missing in routes — write 64 hex digits"),
  wg("overlay type missing", "  type: interface\n", "", "5:1", "type is missing in overlay"),
  wg("overlay type unknown", "type: interface", "type: wireguard", "6:9", '"wireguard" is not yggdrasil or interface'),
  wg("value missing", "uplink: eth0", "uplink:", "4:8", "nothing is written here"),
];
