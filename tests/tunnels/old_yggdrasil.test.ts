import { daemon } from "../rig/daemons.ts";
import { someDebians } from "../machines/story.ts";
import { tellPair } from "./pair_story.ts";

// yggdrasil 0.3.16, the last with tunnel routing of its own, as in the operator's notes: TunnelRouting with box keys.

// The gateway dials: 0.3 tries a peer that it has lost again after a minute, its own restart at once.
for (const debian of someDebians("old yggdrasil")) {
  tellPair(
    `ckr: yggdrasil 0.3.16 carries IPv4 by itself, ${debian}`,
    async () => ({ debian, image: "ready", tunnel: "auto", dials: "gw", daemon: await daemon("yggdrasil-0.3.16") }),
    {
      kind: "ckr",
      says: "TunnelRouting with Enable, IPv4RemoteSubnets, IPv4LocalSubnets",
      nodeDevice: () => "ygg",
    },
  );
}
