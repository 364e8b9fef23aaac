import { daemon, type DaemonName, type Lab, must, type Namespace, until } from "../rig/mod.ts";

// A node with crypto-key routing in a namespace, configured by hand: what the daemons do without crxn.

/** A `TunnelRouting` section. */
export type Section = Record<string, unknown>;

/** What tells the generations of the config apart. */
export interface Generation {
  /** Sends `remote` to the node with this key, and takes `remote` from it; `local` is this side's. */
  section(key: string, remote: string, local: string): Section;
  /** What -normaliseconf prints for a section with the keys of all generations. */
  kept: Section;
}

const KEY = "6fa497818044d164d7f895a69e4678f03d99820b23c1912970e9255910bd8308";
const BY_SUBNET = { "10.0.0.0/8": KEY };
const BY_KEY = { [KEY]: ["10.0.0.0/8"] };

/** A section with the keys of all generations. */
export const EVERYTHING: Section = {
  Enable: true,
  InstallRoutes: false,
  Addresses: ["10.5.0.1/32"],
  IPv4LocalSubnets: ["10.5.0.1/32"],
  IPv4RemoteSubnets: BY_SUBNET,
  RemoteSubnets: BY_KEY,
};

// The routes of the tests are their own, so that they are there for the negative controls as well.
const byKey = (key: string, remote: string) => ({ InstallRoutes: false, RemoteSubnets: { [key]: [remote] } });

/** A daemon with crypto-key routing. */
export type CkrDaemon = Exclude<DaemonName, `yggdrasilctl-${string}`>;

/** How each of them is told. */
export const GENERATIONS: Readonly<Record<CkrDaemon, Generation>> = {
  "yggdrasil-0.3.16": {
    section: (key, remote, local) => ({
      Enable: true,
      IPv4RemoteSubnets: { [remote]: key },
      IPv4LocalSubnets: [local],
    }),
    kept: {
      Enable: true,
      IPv6RemoteSubnets: null,
      IPv6LocalSubnets: null,
      IPv4RemoteSubnets: BY_SUBNET,
      IPv4LocalSubnets: ["10.5.0.1/32"],
    },
  },
  "yggdrasilckr-0.5.5": {
    section: (key, remote) => ({ Enable: true, IPv4RemoteSubnets: { [remote]: key } }),
    kept: { Enable: true, IPv6RemoteSubnets: null, IPv4RemoteSubnets: BY_SUBNET },
  },
  "yggdrasilckr-0.5.12": {
    section: (key, remote) => ({ Enable: true, ...byKey(key, remote) }),
    kept: { Enable: true, InstallRoutes: false, YggdrasilRouting: true, RemoteSubnets: BY_KEY },
  },
  "yggdrasilckr-newest": {
    section: (key, remote) => byKey(key, remote),
    kept: { InstallRoutes: false, YggdrasilRouting: true, Addresses: ["10.5.0.1/32"], RemoteSubnets: BY_KEY },
  },
};

/** What a daemon makes of a config, and -address of it. */
export async function normalised(program: string, config: unknown): Promise<Record<string, unknown>> {
  const text = await must([program, "-useconf", "-normaliseconf", "-json"], { input: JSON.stringify(config) });
  return JSON.parse(text);
}

/** One node. */
export class Node {
  #started = 0;

  private constructor(
    readonly lab: Lab,
    readonly place: Namespace,
    readonly program: string,
    readonly identity: Section,
    /** What the other side writes into its section. */
    readonly key: string,
    /** The address in 200::/7. */
    readonly address: string,
  ) {}

  /** A node in a namespace of its own, with a new key; nothing runs yet. */
  static async create(lab: Lab, name: string, which: CkrDaemon): Promise<Node> {
    const program = await daemon(which);
    const fresh = JSON.parse(await must([program, "-genconf", "-json"])) as Record<string, string>;
    const names = Object.keys(fresh).filter((field) => /^(Encryption|Signing)?(Private|Public)Key$/.test(field));
    const identity = Object.fromEntries(names.map((field) => [field, fresh[field]]));
    // The second half of an ed25519 private key is the public one.
    const key = fresh.EncryptionPublicKey ?? fresh.PrivateKey!.slice(64);
    const address = (await must([program, "-useconf", "-address"], { input: JSON.stringify(identity) })).trim();
    return new Node(lab, await lab.namespace(name), program, identity, key, address);
  }

  /**
   * Starts the daemon on a device that is there before it, with these IPv4 addresses and a route to all of 10.0.0.0/8.
   * Returns how to stop it, device and all.
   */
  async start(section: Section, addresses: readonly string[], links: Section): Promise<() => Promise<void>> {
    const log = `${this.place.name}-${++this.#started}`;
    const file = `${this.lab.directory}/${log}.json`;
    const socket = `unix://${this.lab.directory}/${this.place.name}.sock`;
    const common = { IfName: "ygg", AdminListen: socket, MulticastInterfaces: [] };
    const config = { ...this.identity, ...common, ...links, TunnelRouting: section };
    await Deno.writeTextFile(file, JSON.stringify(config), { mode: 0o600 });
    await this.place.must(
      ["ip tuntap add dev ygg mode tun", ...addresses.map((address) => `ip addr add ${address}/32 dev ygg`)].join(
        "\n",
      ) +
        `\nip link set ygg up\nip route add 10.0.0.0/8 dev ygg src ${addresses[0]}`,
    );
    const helper = this.lab.spawn(log, [this.program, "-useconffile", file], this.place.namespace);
    await until(`${this.place.name}'s address on its device`, 20, async () => {
      const { stdout } = await this.place.run(["ip", "-6", "addr", "show", "dev", "ygg"]);
      return stdout.includes(this.address) ? true : undefined;
    }).catch(async (error) => {
      throw new Error(`${error.message}\n${await this.lab.log(log)}`);
    });
    return async () => {
      await helper.stop();
      await this.place.must(["ip", "link", "del", "ygg"]);
    };
  }

  /** What the daemon has written since its last start. */
  async log(): Promise<string> {
    return await this.lab.log(`${this.place.name}-${this.#started}`);
  }
}
