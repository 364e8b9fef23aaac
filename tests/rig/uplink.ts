import type { CardHolder } from "./card.ts";
import { interfaceIdentifier, macOf, type Net, SEGMENTS } from "./network.ts";

/** A machine's eth0, as the Internet knows it. */
export interface Uplink {
  /** Its own IPv6 and IPv4 address, without length. */
  ipv6: string;
  ipv4: string;
  /** Where the router sends what is routed to the machine, and over which of its bridges. */
  nextHop: string;
  bridge: string;
  /** Whether IPv6 comes by router advertisement. */
  ra: boolean;
  /** `ip` commands that the machine runs at boot. */
  commands: string[];
}

/** Number of machines on each router's segments; their addresses count up from 10. */
const plugged = new WeakMap<Net, number>();

/** Joins a machine's eth0 to the router. Static: 2001:db8:9::10/64, 192.0.2.10/24, then 11, ... (decimal digits in both). */
export async function plugUplink(machine: CardHolder, net: Net, ra: boolean): Promise<Uplink> {
  const segment = ra ? SEGMENTS.ra : SEGMENTS.static;
  const number = plugged.get(net) ?? 10;
  plugged.set(net, number + 1);
  const mac = macOf(0xe0, number);
  if (ra) await net.advertise();
  const port = `m-${machine.name}`;
  await machine.addCard({
    device: "eth0",
    mac,
    far: { namespace: net.namespace, device: port },
    plugged: () => net.bridge(port, segment.bridge),
  });
  const ipv6 = `${segment.ipv6}${ra ? interfaceIdentifier(mac) : number}`;
  const ipv4 = `${segment.ipv4}${number}`;
  return {
    ipv6,
    ipv4,
    ra,
    bridge: segment.bridge,
    nextHop: ra ? `fe80::${interfaceIdentifier(mac)}` : ipv6,
    commands: [
      "link set eth0 up",
      `addr replace ${ipv4}/24 dev eth0`,
      `-4 route replace default via ${segment.ipv4}1`,
      ...(ra
        ? []
        : [`addr replace ${ipv6}/64 dev eth0 nodad`, `-6 route replace default via ${segment.ipv6}1 dev eth0`]),
    ],
  };
}
