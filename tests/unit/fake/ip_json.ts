/** Links and routes of a fake kernel, and how `ip -json` prints them. */

export interface FakeLink {
  name: string;
  kind?: string;
  up: boolean;
  mtu: number;
  persist?: boolean;
  /** The unit that holds a TUN open. */
  holder?: string;
  data: Record<string, unknown>;
  addresses: string[];
}

export interface FakeRoute {
  family: "inet" | "inet6";
  to: string;
  type: string;
  device?: string;
  via?: string;
  /** Several next hops. */
  hops?: { device: string; via?: string }[];
  metric: number;
  protocol: string;
}

export const familyOf = (address: string) => address.includes(":") ? "inet6" as const : "inet" as const;

export function linkJson(link: FakeLink, index: number): unknown {
  const addresses = link.addresses.map((a) => {
    const [local, prefixlen] = a.split("/");
    const scope = a.startsWith("fe80:") ? "link" : "global";
    return { family: familyOf(a), local, prefixlen: Number(prefixlen), scope };
  });
  const tun = link.kind === "tun" ? { type: "tun", persist: link.persist === true } : {};
  return {
    ifindex: index + 1,
    ifname: link.name,
    flags: link.up ? ["UP", "LOWER_UP"] : [],
    mtu: link.mtu,
    txqlen: 500,
    ...(link.kind ? { linkinfo: { info_kind: link.kind, info_data: { ...tun, ...link.data } } } : {}),
    addr_info: addresses,
    stats64: {},
  };
}

export const routeJson = ({ type, to, device, via, hops, metric, protocol }: FakeRoute) => ({
  ...(type === "unicast" ? {} : { type }),
  dst: to,
  ...(via ? { gateway: via } : {}),
  ...(device ? { dev: device } : {}),
  protocol,
  ...(metric > 0 ? { metric } : {}),
  flags: [],
  ...(hops
    ? { nexthops: hops.map((h) => ({ ...(h.via ? { gateway: h.via } : {}), dev: h.device, weight: 1, flags: [] })) }
    : {}),
});
