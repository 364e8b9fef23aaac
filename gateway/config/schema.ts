/** The shape of crxn.yaml. What one value alone cannot tell (overlaps, who lies inside whom) is in semantics.ts. */
import * as networks from "./networks.ts";
import { DOWNLOAD_EXAMPLE, downloadUrl } from "./download.ts";
import { limits, nat64, pair } from "./schema_nat64.ts";
import { read } from "./schema_read.ts";
import {
  byWord,
  either,
  type Gives,
  list,
  map,
  meta,
  optional,
  otherwise,
  some,
  text,
  want,
  word,
} from "./schema_words.ts";
import { listenUri, peerUri } from "./uri.ts";
import { metricsPath, span } from "./span.ts";
import * as values from "./values.ts";
import { DEFAULTS } from "./defaults.ts";

const addressWant = want("an IPv4 address with its length", "address: 10.5.0.1/32");
const address = meta(
  some(text(networks.overlayAddress, "This machine's address in the overlay.", "10.5.0.1/32"), addressWant),
  {
    description: "This machine's address in the overlay; a list where it has several. Clients appear under the first.",
  },
);
const interfaceName = (description: string, example: string) => text(values.interfaceName, description, example);
const to = text(networks.overlayNetwork, "A network of the overlay.", "10.0.0.0/8");

const yggdrasilRoute = map({
  to,
  via: text(
    values.publicKey,
    "Public key of the yggdrasil node that carries the network.",
    "bdba...64 hex digits...6efb",
  ),
}, want("a route", "`to:` and `via:` under each '-'"));

const interfaceRoute = map({
  to,
  via: optional(text(networks.nextHop, "Next hop on the interface, where it needs one.", "10.5.0.254")),
}, want("a route", "`to:` and, where needed, `via:` under each '-'"));

const routesText = "Overlay networks, and who carries them. A gateway needs at least one.";
const routesWrite = "each route on a line of its own: - to: 10.0.0.0/8";

const download = map({
  url: text(downloadUrl, "Where the daemon is fetched: a binary, or a .deb that holds it.", DOWNLOAD_EXAMPLE),
  sha256: text(values.sha256Sum, "SHA-256 of what the URL gives; anything else is refused.", "64 hex digits"),
});

const accessWant = want("a word or a list of services", "none, ping, all, or a list such as [tcp/22]");
const access = meta(
  optional(either(
    [
      word(["none", "ping", "all"]),
      list(text(values.service, "A service of this machine.", "tcp/22"), ""),
    ],
    accessWant,
  )),
  {
    description:
      "What of this machine overlay hosts reach: none, ping, all (its own firewall decides), or a list of services besides pings. Default: ping on a gateway, all on a node.",
  },
);

const yggdrasil = map({
  type: meta(word(["yggdrasil"]), { description: "crxn runs the overlay link over yggdrasil." }),
  interface: otherwise(interfaceName("The name that yggdrasil's device gets.", "ygg"), DEFAULTS.interface),
  tunnel: meta(
    otherwise(
      word(["auto", "ckr", "ip6gre", "vxlan"], want("a kind of tunnel", "auto, ckr, ip6gre or vxlan")),
      "auto",
    ),
    { description: "How IPv4 travels between the nodes; both ends must use the same." },
  ),
  daemon: meta(
    otherwise(
      either(
        [text(values.daemonPath, "The path of an installed daemon.", DEFAULTS.daemon), download],
        want("a daemon", "a path, such as /usr/sbin/yggdrasil, or {url: ..., sha256: ...}"),
      ),
      DEFAULTS.daemon,
    ),
    { description: "The yggdrasil daemon: installed, or fetched by `crxn install`." },
  ),
  peers: meta(
    otherwise(
      list(
        text(peerUri, "A node to connect to.", "tls://peer.example.net:443"),
        "peers: [tls://peer.example.net:443], or [] for none",
      ),
      [],
    ),
    { description: "Nodes to connect to." },
  ),
  listen: meta(
    otherwise(
      list(
        text(listenUri, "Where other nodes may connect.", "tls://[::]:9001"),
        "listen: ['tls://[::]:9001'], or [] for none",
      ),
      [],
    ),
    { description: "Where other nodes may connect." },
  ),
  routes: meta(otherwise(list(yggdrasilRoute, routesWrite), []), { description: routesText }),
  local: meta(
    optional(list(
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

const existing = map({
  type: meta(word(["interface"]), { description: "The overlay link is there already: WireGuard, a company VPN." }),
  interface: interfaceName("The existing link.", "wg0"),
  routes: meta(otherwise(list(interfaceRoute, routesWrite), []), { description: routesText }),
  access,
});

const mendWant = want("a span of time from 1min to 1day, or false", "5min, 1h, 1day or false");
const upkeep = map({
  mend: meta(
    optional(either(
      [word([false]), text(span, "So often.", "5min")],
      mendWant,
    )),
    { description: "How often a timer mends what other programs have undone of the gateway; or false, the default." },
  ),
  metrics: optional(text(
    metricsPath,
    "A file that gets status as metrics each minute, for node_exporter's textfile collector. Default: none.",
    "/var/lib/prometheus/node-exporter/crxn.prom",
  )),
}, want("a map of keys", "its keys below it, indented, or leave it out"));

/** The whole file. */
export const schema = meta(
  map({
    address,
    prefix: optional(text(
      networks.nat64Prefix,
      "Where the overlay appears in IPv6 (RFC 6052). Without it: an overlay node, no NAT64.",
      "2001:db8:300:4::/96",
    )),
    routed: optional(text(
      networks.routedNetwork,
      "What is routed to this machine. Default: the /64 around prefix.",
      "2001:db8:300:4::/64",
    )),
    uplink: optional(interfaceName("Default: the interface of the IPv6 default route.", "eth0")),
    overlay: meta(
      byWord(
        "type",
        [yggdrasil, existing],
        want("yggdrasil or interface", "`type: yggdrasil` or `type: interface` below overlay:"),
      ),
      { description: "The link to the IPv4 overlay." },
    ),
    nat64: meta(optional(nat64), { description: "The translator; for a gateway only." }),
    upkeep: meta(optional(upkeep), { description: "What timers do to keep the gateway well. Default: nothing." }),
  }),
  { title: "crxn.yaml", description: "The config of crxn: /etc/crxn/crxn.yaml" },
);

/** What the schema makes of a file, before the defaults that depend on other values. */
export type Parsed = Gives<typeof schema>;

/** All of nat64 by default. */
export const nat64Defaults = (): Gives<typeof nat64> => read(nat64, {})!;

/** The keys that each map may have, by where it is ("" is the file, "[]" any item). */
export const KEYS: Record<string, readonly string[]> = {
  "": Object.keys(schema.shape),
  "overlay:yggdrasil": Object.keys(yggdrasil.shape),
  "overlay:interface": Object.keys(existing.shape),
  "overlay.daemon": Object.keys(download.shape),
  "overlay.routes[]": Object.keys(yggdrasilRoute.shape),
  nat64: Object.keys(nat64.shape),
  "nat64.maps[]": Object.keys(pair.shape),
  "nat64.limits": Object.keys(limits.shape),
  upkeep: Object.keys(upkeep.shape),
};
