import { UPSTREAM } from "./images.ts";
import type { Helper, Lab } from "./lab.ts";
import { cacheDirectory } from "./paths.ts";
import { Namespace } from "./place.ts";
import { ip, must, run, until } from "./process.ts";
import type { Uplink } from "./uplink.ts";

// Documentation addresses (RFC 3849, RFC 5737) only. Bridges, so that any number of clients and machines can be plugged
// and a machine's port can go away and come back without the router losing its addresses.
const CLIENTS = { bridge: "br-clients", ipv6: "2001:db8:c::", ipv4: "198.51.100." };
/** Machines with a static uplink, and those that learn it by router advertisement. */
export const SEGMENTS = {
  static: { bridge: "br-static", ipv6: "2001:db8:9::", ipv4: "192.0.2." },
  ra: { bridge: "br-ra", ipv6: "2001:db8:a::", ipv4: "203.0.113." },
};
const MIRROR_PORT = 3142;

/** Makes an empty network namespace with the kernel's own defaults and returns its name. */
export async function makeNamespace(name: string): Promise<string> {
  await must(["ip", "netns", "add", name]);
  // IPv6 settings start from the kernel's defaults, IPv4 ones are copied from the host (net.core.devconf_inherit_init_net).
  const settings = ["forwarding", "rp_filter"].flatMap((key) => [`all.${key}=0`, `default.${key}=0`]);
  const sysctls = settings.map((setting) => `net.ipv4.conf.${setting}`);
  await must(["nsenter", `--net=/run/netns/${name}`, "sysctl", "-qw", ...sysctls]);
  return name;
}

/** A namespace of the rig's own: links are up, and addresses can be used at once. */
export async function makeQuietNamespace(name: string): Promise<string> {
  await makeNamespace(name);
  const quick = ["net.ipv6.conf.default.dad_transmits=0", "net.ipv6.conf.default.accept_ra=0"];
  await must(["nsenter", `--net=/run/netns/${name}`, "sysctl", "-qw", ...quick]);
  await ip(name, ["link set lo up"]);
  return name;
}

/** The Internet of a lab: a router between clients and machines, with a Debian mirror inside. */
export class Net extends Namespace {
  #mirror?: Promise<string>;
  #radvd?: Promise<Helper>;
  #clients = 0;

  private constructor(readonly lab: Lab, namespace: string) {
    super("internet", namespace);
  }

  /** Makes the router. Use {@linkcode Lab.internet}. */
  static async create(lab: Lab, namespace: string): Promise<Net> {
    await makeQuietNamespace(namespace);
    const net = new Net(lab, namespace);
    await ip(
      namespace,
      [CLIENTS, SEGMENTS.static, SEGMENTS.ra].flatMap(({ bridge, ipv6, ipv4 }, number) => [
        // An address of its own: otherwise it has the lowest of its ports' and changes when a port does, and the machines
        // go on sending to the old one until their neighbour entry is no longer reachable.
        // Snooping would hold back neighbour solicitations until it has heard of the listeners.
        `link add ${bridge} address ${macOf(0xbb, number)} type bridge stp_state 0 mcast_snooping 0`,
        `link set ${bridge} up`,
        `addr add ${ipv6}1/64 dev ${bridge} nodad`,
        `addr add ${ipv4}1/24 dev ${bridge}`,
      ]),
    );
    await net.must(["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1"]);
    return net;
  }

  /** A client of the Internet: 2001:db8:c::2/64 and 198.51.100.2/24 (then 3, 4, ...), default routes to the router. */
  async client(name = "client"): Promise<Namespace> {
    const client = await this.lab.namespace(name);
    const number = ++this.#clients + 1;
    await this.plug(client.namespace, "eth0", macOf(0xc0, number), `c-${name}`, CLIENTS.bridge);
    await ip(client.namespace, [
      "link set eth0 up",
      `addr add ${CLIENTS.ipv6}${number.toString(16)}/64 dev eth0 nodad`,
      `addr add ${CLIENTS.ipv4}${number}/24 dev eth0`,
      `route add default via ${CLIENTS.ipv6}1`,
      `route add default via ${CLIENTS.ipv4}1`,
    ]);
    return client;
  }

  /** Joins `device` in `namespace` to a bridge of the router; a port of that name that is left over is replaced. */
  async plug(namespace: string, device: string, mac: string, port: string, bridge: string): Promise<void> {
    await run(["ip", "-n", this.namespace, "link", "del", port]);
    await ip(namespace, [`link add ${device} address ${mac} type veth peer name ${port} netns ${this.namespace}`]);
    await this.bridge(port, bridge);
  }

  /** Makes a device of the router's namespace a port of one of its bridges. */
  async bridge(port: string, bridge: string): Promise<void> {
    await ip(this.namespace, [`link set ${port} master ${bridge} up`]);
  }

  /** Routes an IPv6 prefix to a machine, as its provider would. */
  async route(prefix: string, machine: { readonly uplink: Uplink }): Promise<void> {
    const { nextHop, bridge } = machine.uplink;
    await ip(this.namespace, [`route replace ${prefix} via ${nextHop} dev ${bridge}`]);
  }

  /** Takes such a route away. */
  async unroute(prefix: string): Promise<void> {
    await ip(this.namespace, [`route del ${prefix}`]);
  }

  /** The address of the mirror for machines; the first call starts it. */
  async mirror(): Promise<string> {
    return await (this.#mirror ??= this.#startMirror());
  }

  async #startMirror(): Promise<string> {
    const [socket, address] = [`${this.lab.directory}/mirror.sock`, `${SEGMENTS.static.ipv4}1`];
    const deno = (file: string) => [Deno.execPath(), "run", "-A", "--no-lock", new URL(file, import.meta.url).pathname];
    this.lab.spawn("mirror", [...deno("mirror.ts"), socket, `${cacheDirectory()}/mirror`, UPSTREAM]);
    this.lab.spawn("relay", [...deno("mirror_relay.ts"), address, String(MIRROR_PORT), socket], this.namespace);
    await until("the Debian mirror", 20, async () => {
      const listening = (await this.run(["ss", "-Hltn", `sport = :${MIRROR_PORT}`])).stdout !== "";
      return listening && (await Deno.stat(socket).then(() => true, () => false)) ? true : undefined;
    });
    return `http://${address}:${MIRROR_PORT}`;
  }

  /** Starts to advertise the router on the segment for machines with `ra`. */
  async advertise(): Promise<void> {
    await (this.#radvd ??= this.#startRadvd());
  }

  async #startRadvd(): Promise<Helper> {
    const { bridge, ipv6 } = SEGMENTS.ra;
    const file = `${this.lab.directory}/disk/radvd.conf`;
    await Deno.writeTextFile(
      file,
      `interface ${bridge} {
        AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 600;
        prefix ${ipv6}/64 { AdvOnLink on; AdvAutonomous on; };
      };\n`,
    );
    const argv = ["/usr/sbin/radvd", "--nodaemon", "-m", "stderr", "-C", file, "-p", `${this.lab.directory}/radvd.pid`];
    return this.lab.spawn("radvd", argv, this.namespace);
  }
}

/** A locally administered MAC address, the same in every run. */
export function macOf(kind: number, number: number): string {
  return ["02", "00", "00", "00", kind, number].map((part) =>
    typeof part === "string" ? part : part.toString(16).padStart(2, "0")
  ).join(":");
}

/** The lower half of the IPv6 addresses that an interface makes of such a MAC address (RFC 4291, appendix A). */
export function interfaceIdentifier(mac: string): string {
  // The first 16 bits are 02:00 with the "universal" bit inverted: nothing, and "::" stands for them.
  const [, , , , kind, number] = mac.split(":");
  return `ff:fe00:${kind}${number}`;
}
