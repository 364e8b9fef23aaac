/** Packets of yggdrasil's own connections, by the URIs of crxn.yaml. Pure. yggdrasil.conf, `Peers` and `Listen`. */

import type { Config } from "../config/types.ts";
import type { Family } from "../item.ts";
import type { PacketKind } from "./packets.ts";

interface Endpoint {
  protocol: "tcp" | "udp";
  port: number;
  /** Undefined for a name. */
  address?: string;
  /** Of a link-local address. */
  link?: string;
  /** A name can have addresses of both. */
  families: Family[];
}

/** @returns undefined for what goes by no port of its own (unix, socks) */
function endpointOf(uri: string): Endpoint | undefined {
  const [, scheme = "", host = "", port] = /^([a-z]+):\/\/(\[[^\]]*\]|[^:/?]*):(\d+)/.exec(uri) ?? [];
  if (port === undefined || !["tls", "tcp", "ws", "wss", "quic"].includes(scheme)) return undefined;
  const protocol = scheme === "quic" ? "udp" as const : "tcp" as const;
  const [four, six] = [/^\d+(\.\d+){3}$/.test(host), host.startsWith("[")];
  const [inner = "", link] = host.slice(1, -1).split("%25");
  const address = four ? host : six ? inner : undefined;
  return {
    protocol,
    port: Number(port),
    ...(address === undefined ? {} : { address }),
    ...(six && link !== undefined ? { link } : {}),
    families: four ? ["inet"] : six && address !== "::" ? ["inet6"] : ["inet", "inet6"],
  };
}

const FAMILY: Record<Family, string> = { inet: "IPv4", inet6: "IPv6" };

/** The first packets of peers that dial this machine. */
export function peerPackets({ overlay }: Config, uplink: string): PacketKind[] {
  if (overlay.type !== "yggdrasil") return [];
  return overlay.listen.flatMap((uri) => {
    const { protocol, port, families, link = uplink } = endpointOf(uri) ?? { families: [] };
    return families.map((family): PacketKind => ({
      family,
      name: `of peers to port ${port} (${uri})`,
      what: FAMILY[family],
      path: "input",
      packet: { family, in: link, out: "", protocol: protocol!, port: port!, state: "NEW" },
    }));
  });
}

/** What the daemon sends to a peer that it dials, and what comes back; the device of IPv4 is not known. */
export function dialledPackets(uri: string, uplink: string): PacketKind[] {
  const { protocol, port, address, families, link = uplink } = endpointOf(uri) ?? { families: [] };
  return families.flatMap((family): PacketKind[] => {
    const common = { family, protocol: protocol! };
    const [to, from] = address === undefined ? [{}, {}] : [{ destination: address }, { source: address }];
    const device = family === "inet6";
    const what = FAMILY[family];
    return [
      {
        family,
        name: `to the peer ${uri}`,
        what,
        path: "output",
        packet: { ...common, ...to, in: "", ...(device ? { out: link } : {}), port: port!, state: "NEW" },
      },
      {
        family,
        name: `from the peer ${uri}`,
        what,
        path: "input",
        packet: { ...common, ...from, ...(device ? { in: link } : {}), out: "", state: "ESTABLISHED" },
      },
    ];
  });
}

/** The answer of a far node to a ping of its yggdrasil address: ICMPv6 type 129. */
export const pongFrom = (address: string, device: string): PacketKind => ({
  family: "inet6",
  name: `from the far node ${address}`,
  what: "ICMPv6",
  path: "input",
  packet: {
    family: "inet6",
    in: device,
    out: "",
    source: address,
    protocol: "ipv6-icmp",
    icmp: 129,
    state: "ESTABLISHED",
  },
});
