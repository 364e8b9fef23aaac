/** The shape of crxn.yaml. What one value alone cannot tell (overlaps, who lies inside whom) is in semantics.ts. */
import * as z from "zod/mini";
import * as networks from "./networks.ts";
import { Fault } from "./problem.ts";
import { DOWNLOAD_EXAMPLE, downloadUrl } from "./download.ts";
import { listenUri, peerUri } from "./uri.ts";
import * as values from "./values.ts";
import type { Kind } from "./values.ts";

// One config is read, once: code made for that would cost more than it saves.
z.config({ jitless: true });

/** What is used where the config says nothing. */
export const DEFAULTS = {
  interface: "ygg",
  daemon: "/usr/sbin/yggdrasil",
  instance: "ygg",
  pool: "100.64.0.0/16",
  clients: ["::/0"],
} as const;

/**
 * The error text of a wrong type or choice, for explain.ts to take apart: what it should be, and how to write it.
 * A reader's own fault comes as a "custom" issue with the remedy in `params`.
 */
const want = (noun: string, write: string) => ({ error: () => `${noun}|${write}` });

/** What the JSON Schema says of it besides. */
function meta<T extends z.ZodMiniType>(item: T, about: z.core.GlobalMeta): T {
  z.globalRegistry.add(item, about);
  return item;
}

function text(kind: Kind, description: string, example: string) {
  const read = z.transform((value: string, ctx) => {
    try {
      return kind.read(value);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      ctx.issues.push({ code: "custom", message: fault.message, input: value, params: { remedy: fault.remedy } });
      return z.NEVER;
    }
  });
  return meta(z.pipe(z.string(want(kind.noun, kind.write)), read), {
    description,
    pattern: kind.pattern,
    examples: [example],
  });
}

const list = <T extends z.ZodMiniType>(item: T, write: string) => z.array(item, want("a list", write));

const addressWant = want("an IPv4 address with its length", "address: 10.5.0.1/32");
const address = meta(
  z.array(
    text(networks.overlayAddress, "This machine's address in the overlay.", "10.5.0.1/32"),
    addressWant,
  ).check(z.minLength(1, addressWant)),
  {
    description: "This machine's address in the overlay; a list where it has several. Clients appear under the first.",
  },
);
const interfaceName = (description: string, example: string) => text(values.interfaceName, description, example);
const to = text(networks.overlayNetwork, "A network of the overlay.", "10.0.0.0/8");

const yggdrasilRoute = z.strictObject({
  to,
  via: text(
    values.publicKey,
    "Public key of the yggdrasil node that carries the network.",
    "bdba...64 hex digits...6efb",
  ),
}, want("a route", "`to:` and `via:` under each '-'"));

const interfaceRoute = z.strictObject({
  to,
  via: z.optional(text(networks.nextHop, "Next hop on the interface, where it needs one.", "10.5.0.254")),
}, want("a route", "`to:` and, where needed, `via:` under each '-'"));

const routesText = "Overlay networks, and who carries them. A gateway needs at least one.";
const routesWrite = "each route on a line of its own: - to: 10.0.0.0/8";

const download = z.strictObject({
  url: text(downloadUrl, "Where the daemon is fetched: a binary, or a .deb that holds it.", DOWNLOAD_EXAMPLE),
  sha256: text(values.sha256Sum, "SHA-256 of what the URL gives; anything else is refused.", "64 hex digits"),
});

const accessWant = want("a word or a list of services", "none, ping, all, or a list such as [tcp/22]");
const access = meta(
  z.optional(z.union(
    [
      z.enum(["none", "ping", "all"]),
      z.array(text(values.service, "A service of this machine.", "tcp/22")),
    ],
    accessWant,
  )),
  {
    description:
      "What of this machine overlay hosts reach: none, ping, all (its own firewall decides), or a list of services besides pings. Default: ping on a gateway, all on a node.",
  },
);

const yggdrasil = z.strictObject({
  type: meta(z.literal("yggdrasil"), { description: "crxn runs the overlay link over yggdrasil." }),
  interface: z._default(interfaceName("The name that yggdrasil's device gets.", "ygg"), DEFAULTS.interface),
  tunnel: meta(
    z._default(
      z.enum(["auto", "ckr", "ip6gre", "vxlan"], want("a kind of tunnel", "auto, ckr, ip6gre or vxlan")),
      "auto",
    ),
    { description: "How IPv4 travels between the nodes; both ends must use the same." },
  ),
  daemon: meta(
    z._default(
      z.union(
        [text(values.daemonPath, "The path of an installed daemon.", DEFAULTS.daemon), download],
        want("a daemon", "a path, such as /usr/sbin/yggdrasil, or {url: ..., sha256: ...}"),
      ),
      DEFAULTS.daemon,
    ),
    { description: "The yggdrasil daemon: installed, or fetched by `crxn install`." },
  ),
  peers: meta(
    z._default(
      list(
        text(peerUri, "A node to connect to.", "tls://peer.example.net:443"),
        "peers: [tls://peer.example.net:443], or [] for none",
      ),
      [],
    ),
    { description: "Nodes to connect to." },
  ),
  listen: meta(
    z._default(
      list(
        text(listenUri, "Where other nodes may connect.", "tls://[::]:9001"),
        "listen: ['tls://[::]:9001'], or [] for none",
      ),
      [],
    ),
    { description: "Where other nodes may connect." },
  ),
  routes: meta(z._default(list(yggdrasilRoute, routesWrite), []), { description: routesText }),
  local: meta(
    z.optional(list(
      text(networks.localNetwork, "A network behind this machine.", "10.1.0.0/16"),
      "local: [10.1.0.0/16], or leave it out",
    )),
    {
      description:
        "Networks behind this machine: nothing else is sent into the tunnel or taken out of it. Default: on a gateway its address and its maps, on a node anything.",
    },
  ),
  access,
});

const existing = z.strictObject({
  type: meta(z.literal("interface"), { description: "The overlay link is there already: WireGuard, a company VPN." }),
  interface: interfaceName("The existing link.", "wg0"),
  routes: meta(z._default(list(interfaceRoute, routesWrite), []), { description: routesText }),
  access,
});

const map = z.strictObject({
  ipv4: text(networks.mapIpv4, "The overlay address that stands for the IPv6 host.", "10.5.0.2"),
  ipv6: text(networks.mapIpv6, "The IPv6 host.", "2001:db8::2"),
}, want("a pair", "{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}"));

const mssWant = want("a segment size", "auto, off, or 536 to 65495 (bytes)");
const workersWant = want("a number of translators", "1");

const limitWant = want("a number", "a whole number from 1 to 1000000");
const limit = (description: string) =>
  meta(z.optional(z.int(limitWant).check(z.minimum(1, limitWant), z.maximum(1_000_000, limitWant))), { description });
const limits = z.strictObject({
  per64: limit("New sources of a /64 in a day. Default: a sixteenth of the pool, 8 to 256."),
  per48: limit("New sources of a /48 in a day. Default: a quarter of the pool, 16 to 4096."),
  flows: limit("Connections of a /64 at once. Default: 8192."),
});

const nat64 = z.strictObject({
  instance: z._default(
    text(values.instanceName, "Names tayga@NAME, the device nat64-NAME and /etc/tayga/NAME.conf.", "ygg"),
    DEFAULTS.instance,
  ),
  pool: z._default(
    text(networks.poolNetwork, "One IPv4 address of it for each IPv6 client, kept two hours and more.", DEFAULTS.pool),
    DEFAULTS.pool,
  ),
  maps: meta(z._default(list(map, "maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}], or [] for none"), []), {
    description: "Fixed pairs of an overlay address and an IPv6 host.",
  }),
  clients: meta(
    z._default(list(text(networks.clientNetwork, "An IPv6 network.", "::/0"), "clients: ['::/0']"), [
      ...DEFAULTS.clients,
    ]),
    { description: "Which IPv6 sources may use the gateway." },
  ),
  limits: meta(
    z.optional(z.union(
      [z.literal("off"), limits],
      want("off or a map of limits", "limits: {per64: 256, per48: 4096, flows: 8192}, or off"),
    )),
    { description: "How much of the pool and of connection tracking one IPv6 network may take; or off." },
  ),
  workers: meta(z._default(z.int(workersWant).check(z.minimum(1, workersWant)), 1), {
    description: "Translators side by side; only 1 for now.",
  }),
  mss: meta(
    z._default(
      z.union(
        [z.enum(["auto", "off"]), z.int().check(z.minimum(536, mssWant), z.maximum(65495, mssWant))],
        mssWant,
      ),
      "auto",
    ),
    { description: "TCP segment size: auto (measured), off, or bytes." },
  ),
}, want("a map of keys", "its keys below it, indented, or leave it out"));

/** The whole file. */
export const schema = meta(
  z.strictObject({
    address,
    prefix: z.optional(text(
      networks.nat64Prefix,
      "Where the overlay appears in IPv6 (RFC 6052). Without it: an overlay node, no NAT64.",
      "2001:db8:300:4::/96",
    )),
    routed: z.optional(text(
      networks.routedNetwork,
      "What is routed to this machine. Default: the /64 around prefix.",
      "2001:db8:300:4::/64",
    )),
    uplink: z.optional(interfaceName("Default: the interface of the IPv6 default route.", "eth0")),
    overlay: meta(
      z.discriminatedUnion(
        "type",
        [yggdrasil, existing],
        want("yggdrasil or interface", "`type: yggdrasil` or `type: interface` below overlay:"),
      ),
      { description: "The link to the IPv4 overlay." },
    ),
    nat64: meta(z.optional(nat64), { description: "The translator; for a gateway only." }),
  }),
  { title: "crxn.yaml", description: "The config of crxn: /etc/crxn/crxn.yaml" },
);

/** What the schema makes of a file, before the defaults that depend on other values. */
export type Parsed = z.output<typeof schema>;

/** All of nat64 by default. */
export const nat64Defaults = (): z.output<typeof nat64> => nat64.parse({});

/** The keys that each map may have, by where it is ("" is the file, "[]" any item). */
export const KEYS: Record<string, readonly string[]> = {
  "": Object.keys(schema.shape),
  "overlay:yggdrasil": Object.keys(yggdrasil.shape),
  "overlay:interface": Object.keys(existing.shape),
  "overlay.daemon": Object.keys(download.shape),
  "overlay.routes[]": Object.keys(yggdrasilRoute.shape),
  nat64: Object.keys(nat64.shape),
  "nat64.maps[]": Object.keys(map.shape),
  "nat64.limits": Object.keys(limits.shape),
};
