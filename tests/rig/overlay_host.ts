import type { CardHolder } from "./card.ts";
import { macOf, makeQuietNamespace } from "./network.ts";
import { Namespace } from "./place.ts";
import { ip } from "./process.ts";

/** How a host of the overlay is joined to a machine. */
export interface OverlayOptions {
  /** Its name in the lab; default "host". */
  name?: string;
  /** Its addresses; default ["10.1.0.3/32"]. */
  addresses?: string[];
  /** Its routes, as `ip route add` takes them, over the link if nothing else is said; default ["10.5.0.0/16"]. */
  routes?: string[];
  /** Address of the machine's side, if the machine gets one from whoever runs that link. */
  machineAddress?: string;
  /** MTU of both ends; default 1500. */
  mtu?: number;
}

/** A host of the overlay, with `eth0` as its end of the link. */
export class OverlayHost extends Namespace {
  constructor(name: string, namespace: string, readonly addresses: readonly string[]) {
    super(name, namespace);
  }

  /** Its first address, without the length. */
  get address(): string {
    return this.addresses[0]!.split("/")[0]!;
  }
}

let count = 0;

/** Makes the host and its link; the link is made anew at each start of the machine. Use {@linkcode Lab.overlayHost}. */
export async function plugOverlayHost(
  machine: CardHolder,
  device: string,
  name: string,
  namespace: string,
  options: OverlayOptions,
): Promise<OverlayHost> {
  await makeQuietNamespace(namespace);
  const { addresses = ["10.1.0.3/32"], routes = ["10.5.0.0/16"], machineAddress, mtu = 1500 } = options;
  const number = ++count;
  await machine.addCard({
    device,
    mac: macOf(0xa0, number),
    mtu,
    far: { namespace, device: "eth0", mac: macOf(0xb0, number) },
    commands: [
      `link set ${device} up`,
      ...(machineAddress === undefined ? [] : [`addr add ${machineAddress} dev ${device}`]),
    ],
    plugged: () =>
      ip(namespace, [
        "link set eth0 up",
        ...addresses.map((address) => `addr add ${address} dev eth0`),
        ...routes.map((route) => `route add ${route}${/ (via|dev) /.test(route) ? "" : " dev eth0"}`),
      ]),
  });
  return new OverlayHost(name, namespace, addresses);
}
