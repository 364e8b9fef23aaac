import { INTERFACE_GATEWAY } from "../machines/story.ts";

// Configs of gateways over the link ovl0, all of which reach the same host.

/** Uses most of what a gateway can have. */
export const FIRST = `${INTERFACE_GATEWAY}nat64:
  mss: 1300
  maps:
    - {ipv4: 10.5.0.9, ipv6: "2a04:5b80:300:4:1::9"}
`;

/** The same gateway, with other things made and some no longer wanted. */
export const SECOND = `${INTERFACE_GATEWAY.replace("10.5.0.1", "10.5.0.2")}    - to: 10.128.0.0/9
nat64:
  pool: 100.65.0.0/16
`;

/** Others yet, for a walk. */
export const CONFIGS: Record<string, string> = {
  first: FIRST,
  second: SECOND,
  plain: INTERFACE_GATEWAY,
  clients: SECOND + '  clients: ["2001:db8:c::/64", "2001:db8:1::/64"]\n  mss: 1280\n',
  renamed: FIRST.replace("nat64:", "nat64:\n  instance: other2"),
};
