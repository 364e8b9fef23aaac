import { someDebians } from "../machines/story.ts";
import { tellPair, tunnelOnNode } from "./pair_story.ts";

// Debian's own daemons, which have no tunnel routing: 0.4.7 and 0.5.12, IPv4 in a tunnel of the kernel.

for (const debian of someDebians("Debian's yggdrasil")) {
  tellPair(
    `vxlan: over Debian's yggdrasil, ${debian}`,
    () => Promise.resolve({ debian, image: "ready", tunnel: "vxlan" }),
    {
      kind: "vxlan",
      says: "/usr/sbin/yggdrasil: no tunnel routing",
      nodeDevice: tunnelOnNode,
    },
  );
}
