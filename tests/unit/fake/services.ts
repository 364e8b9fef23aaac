/** Services of a fake machine: what tayga, yggdrasil and the link's follower do to its devices when they start and end. */

import { Path, Unit } from "../../../gateway/names.ts";
import { addressFromKey } from "../../../gateway/yggdrasil_address.ts";
import hjson from "hjson";
import { type Answer, ok, refused } from "./answer.ts";
import type { FakeNetwork } from "./network.ts";

interface ServiceHost {
  /** Where the machine's files are. */
  readonly folder: string;
  readonly network: FakeNetwork;
  read(path: string): string | undefined;
  write(path: string, text: string): void;
}

export class FakeServices {
  constructor(private readonly host: ServiceHost) {}

  /** A daemon takes its TUN, or lets go of it. */
  run(unit: string, starts: boolean): boolean {
    if (!starts) {
      this.host.network.release(unit);
      return true;
    }
    const instance = /^tayga@(.*)\.service$/.exec(unit)?.[1];
    if (instance) {
      const device = /^tun-device (\S+)$/m.exec(this.host.read(Path.taygaConfig(instance)) ?? "")?.[1];
      Deno.mkdirSync(`${this.host.folder}/var/lib/tayga/${instance}`, { recursive: true });
      this.host.write(`/var/lib/tayga/${instance}/dynamic.map`, "");
      return device !== undefined && this.hold(device, unit);
    }
    if (unit === Unit.link) this.follow();
    if (unit === "yggdrasil.service") {
      const config = this.host.read(Path.yggdrasilConfig) ?? "";
      const device = /^\s*"?IfName"?:\s*"?([^\s",]+)/m.exec(config)?.[1];
      const key = /PrivateKey"?:\s*"?[0-9a-f]{64}([0-9a-f]{64})/.exec(config)?.[1];
      if (!device || !key || !canRead(config)) return false;
      const own = `${addressFromKey(key)}/7`;
      // The real one stops with a panic when its own address is there already.
      if (this.host.network.find(device)?.addresses.includes(own) || !this.hold(device, unit)) return false;
      const link = this.host.network.get(device);
      link.addresses.push(own);
      const route = {
        family: "inet6" as const,
        to: "200::/7",
        type: "unicast",
        device,
        protocol: "kernel",
        metric: 256,
      };
      if (!this.host.network.routes.some((r) => r.to === route.to)) this.host.network.routes.push(route);
      Object.assign(link, { up: true, mtu: 65535 });
    }
    return true;
  }

  /** `tayga --mktun` */
  mktun(config: string): Answer {
    const device = /^tun-device (\S+)$/m.exec(this.host.read(config) ?? "")?.[1];
    if (!device) return refused("Error: no tun-device", 1);
    const there = this.host.network.find(device);
    if (there && (there.kind !== "tun" || there.holder)) return refused("Unable to attach tun device: busy", 1);
    if (!there) this.host.network.addLink({ name: device, kind: "tun", persist: true });
    return ok();
  }

  /** What the follower puts on the link once it is up. */
  private follow(): void {
    const script = this.host.read(Path.linkScript) ?? "";
    const link = this.host.network.find(/^link=(.*)$/m.exec(script)?.[1]);
    if (!link?.up) return;
    const [, address] = /^\t\/usr\/sbin\/ip (address replace .*) \|\| failed=yes$/m.exec(script)!;
    this.host.network.ip(address!.split(" "));
    const routes =
      /^\t\[ -n "\$\(\/usr\/sbin\/ip -4 route show exact (\S+) .*\)" \] \|\|\n\t\t\/usr\/sbin\/ip (-4 route replace .*) \|\| failed=yes$/gm;
    for (const [, to, command] of script.matchAll(routes)) {
      const there = this.host.network.routes.some((r) => r.to === to && r.device === link.name && r.metric === 0);
      if (!there) this.host.network.ip(command!.split(" "));
    }
  }

  private hold(device: string, unit: string): boolean {
    if (!this.host.network.find(device)) this.host.network.addLink({ name: device, kind: "tun" });
    const link = this.host.network.get(device);
    if (link.holder) return false;
    link.holder = unit;
    return true;
  }
}

/** The real one stops with a panic when a key's networks are no list. */
function canRead(config: string): boolean {
  const { TunnelRouting } = hjson.parse(config) as { TunnelRouting?: { RemoteSubnets?: Record<string, unknown> } };
  return Object.values(TunnelRouting?.RemoteSubnets ?? {}).every(Array.isArray);
}
