/** What only the values together can tell. Pure: it looks at the config alone; on_machine.ts looks at the machine too. */
import { clearHostBits, contains, formatAddress, formatNetwork, host, type Network, overlaps } from "../cidr.ts";
import { tunnelDevice } from "../names.ts";
import type { Draft } from "./draft.ts";
import type { Finding } from "./problem.ts";
import { quote } from "./problem.ts";
import { literalHost } from "./uri.ts";

/** The network of `routed` when the config does not name it: the /64 around the prefix, or the prefix where it is no longer than that. */
export function defaultRouted(prefix: Network): Network {
  return clearHostBits({ ...prefix, length: Math.min(prefix.length, 64) });
}

type Report = (path: Finding["path"], message: string, remedy: string, at?: "key") => void;

/** All mistakes in how the values of a config fit together; those that draft.ts could not read are left to the schema. */
export function semanticFindings(draft: Draft): Finding[] {
  const found: Finding[] = [];
  const report: Report = (path, message, remedy, at) => found.push({ path, message, remedy, at });
  checkGateway(draft, report);
  checkNames(draft, report);
  checkRoutes(draft, report);
  checkPeers(draft, report);
  if (draft.given.prefix) {
    checkPool(draft, report);
    checkMaps(draft, report);
  }
  if (draft.workers !== undefined && draft.workers > 1) {
    report(["nat64", "workers"], `${draft.workers} translators side by side are not supported yet`, "write workers: 1");
  }
  return found;
}

function checkGateway({ given, prefix, routed, routes, clients }: Draft, report: Report): void {
  for (const key of ["routed", "nat64"] as const) {
    if (given[key] && !given.prefix) {
      report(
        [key],
        `${key} is for a gateway, and without prefix this is an overlay node`,
        `add prefix, or remove ${key}`,
        "key",
      );
    }
  }
  if (prefix && routed) {
    const [inner, outer] = [formatNetwork(prefix), formatNetwork(routed)];
    if (routed.length > prefix.length) {
      report(
        ["routed"],
        `${quote(outer)} is smaller than the prefix ${inner}`,
        `the prefix must lie inside: write ${formatNetwork(defaultRouted(prefix))}`,
      );
    } else if (!contains(routed, prefix)) {
      report(
        ["prefix"],
        `${quote(inner)} is not inside routed ${outer}`,
        `choose a prefix inside ${outer}, or correct routed`,
      );
    }
  }
  if (given.prefix && routes?.length === 0) {
    report(
      ["overlay", "routes"],
      "a gateway without overlay routes has nothing to lead to",
      "name the overlay's networks: - to: 10.0.0.0/8",
      "key",
    );
  }
  if (clients?.length === 0) {
    report(
      ["nat64", "clients"],
      "an empty list lets nobody use the gateway",
      "write clients: ['::/0'] for everybody, or name networks",
    );
  }
  duplicates(
    (clients ?? []).map((text) => text),
    (index, text) => report(["nat64", "clients", index], `${quote(text)} is there twice`, "remove one"),
  );
}

function checkNames(draft: Draft, report: Report): void {
  const device = draft.given.prefix && draft.instance ? `nat64-${draft.instance}` : undefined;
  const other = "the two are different links: correct one of them";
  const link = draft.interface;
  if (link && link === draft.uplink) report(["overlay", "interface"], `${quote(link)} is the uplink too`, other);
  if (link && link === device) {
    report(
      ["overlay", "interface"],
      `${quote(link)} is the translator's device`,
      "name the overlay's link, or change nat64.instance",
    );
  }
  if (draft.uplink && draft.uplink === device) {
    report(
      ["uplink"],
      `${quote(draft.uplink)} is the translator's device`,
      "name the link to the IPv6 Internet, or change nat64.instance",
    );
  }
}

function checkRoutes({ addresses, type, routes = [], local }: Draft, report: Report): void {
  duplicates(addresses.map((a) => a && formatAddress(a)), (index, text) => {
    report(["address", index], `${quote(text)} is there twice`, "name each address once");
  });
  duplicates(local.map((n) => n && formatNetwork(n)), (index, text) => {
    report(["overlay", "local", index], `${quote(text)} is there twice`, "remove one");
  });
  for (const [index, network] of local.entries()) {
    if (!network || !routes.some(({ to }) => to && formatNetwork(to) === formatNetwork(network))) continue;
    report(
      ["overlay", "local", index],
      `${quote(formatNetwork(network))} is an overlay route too`,
      "local names what lies behind this machine, routes what lies behind others: correct one of them",
    );
  }
  checkDevices(routes, type, report);
  duplicates(routes.map(({ to }) => to && formatNetwork(to)), (index, to) => {
    report(["overlay", "routes", index, "to"], `${quote(to)} is there twice`, "one network has one route: remove one");
  });
  for (const [index, { to, via }] of routes.entries()) {
    if (to && to.length === 32 && addresses.some((a) => a?.value === to.value)) {
      report(
        ["overlay", "routes", index, "to"],
        `${quote(formatNetwork(to))} is this machine's own address`,
        "a route leads to others: remove it",
      );
    }
    if (via && type === "interface" && addresses.some((a) => a && via === formatAddress(a))) {
      report(
        ["overlay", "routes", index, "via"],
        `${quote(via)} is this machine's own address`,
        "name the neighbour on the link, or leave out via",
      );
    }
  }
}

/** The tunnel to a node is named after the first digits of its key. */
function checkDevices(routes: NonNullable<Draft["routes"]>, type: Draft["type"], report: Report): void {
  if (type !== "yggdrasil") return;
  const first = new Map<string, string>();
  for (const [index, { via }] of routes.entries()) {
    const device = via && tunnelDevice(via);
    if (!device) continue;
    const other = first.get(device) ?? via;
    first.set(device, other);
    if (other === via) continue;
    report(
      ["overlay", "routes", index, "via"],
      `${quote(via)} begins like the key of another node, ${
        other.slice(0, 12)
      }...: both tunnels would be called ${device}`,
      "one of the two nodes needs a new key",
    );
  }
}

function checkPeers({ peers, listen, routes = [] }: Draft, report: Report): void {
  for (const [name, list] of Object.entries({ peers, listen })) {
    duplicates(list, (index, uri) => report(["overlay", name, index], `${quote(uri)} is there twice`, "remove one"));
  }
  for (const [index, peer] of peers.entries()) {
    const address = peer && literalHost(peer);
    if (!address) continue;
    // ::ffff:10.0.0.1 is dialled as 10.0.0.1.
    const ipv4 = address.family === 4 ? address : { family: 4 as const, value: address.value & 0xffffffffn };
    if (address.family === 6 && address.value >> 32n !== 0xffffn) continue;
    const route = routes.find(({ to }) => to && contains(to, host(ipv4)));
    if (!route) continue;
    report(
      ["overlay", "peers", index],
      `${quote(peer)} lies inside the overlay route ${
        formatNetwork(route.to!)
      }: a peer whose own address lies inside an overlay route swallows itself`,
      "reach the peer at another address (IPv6, a public one), or narrow the route",
    );
  }
}

function checkPool({ addresses, routes = [], local, pool }: Draft, report: Report): void {
  if (!pool) return;
  const text = formatNetwork(pool);
  const remedy =
    "the pool is seen by this machine only: use a private network that nobody else uses, such as 192.168.64.0/18";
  const address = addresses.find((a) => a && overlaps(pool, host(a)));
  if (address) {
    report(["nat64", "pool"], `${quote(text)} holds this machine's overlay address ${formatAddress(address)}`, remedy);
  }
  const route = routes.find(({ to }) => to && overlaps(to, pool));
  if (route) report(["nat64", "pool"], `${quote(text)} overlaps the overlay route ${formatNetwork(route.to!)}`, remedy);
  const behind = local.find((network) => network && overlaps(network, pool));
  if (behind) report(["nat64", "pool"], `${quote(text)} overlaps ${formatNetwork(behind)} of overlay.local`, remedy);
}

function checkMaps({ addresses, prefix, pool, maps }: Draft, report: Report): void {
  duplicates(
    maps.map(({ ipv4 }) => ipv4 && formatAddress(ipv4)),
    (index, text) =>
      report(["nat64", "maps", index, "ipv4"], `${quote(text)} is there twice`, "one pair for each address"),
  );
  duplicates(
    maps.map(({ ipv6 }) => ipv6 && formatAddress(ipv6)),
    (index, text) =>
      report(["nat64", "maps", index, "ipv6"], `${quote(text)} is there twice`, "one pair for each address"),
  );
  for (const [index, { ipv4, ipv6 }] of maps.entries()) {
    const path = ["nat64", "maps", index];
    const v4 = ipv4 && quote(formatAddress(ipv4));
    if (ipv4 && addresses.some((a) => a?.value === ipv4.value)) {
      report(
        [...path, "ipv4"],
        `${v4} is this machine's own overlay address`,
        "take another address of your assignment",
      );
    }
    if (ipv4 && pool && contains(pool, ipv4)) {
      report(
        [...path, "ipv4"],
        `${v4} is inside the pool ${formatNetwork(pool)}`,
        "take an overlay address, or another pool",
      );
    }
    if (ipv6 && prefix && contains(prefix, ipv6)) {
      report(
        [...path, "ipv6"],
        `${quote(formatAddress(ipv6))} is inside the prefix ${
          formatNetwork(prefix)
        }, where every address stands for an IPv4 host`,
        "name an IPv6 host outside the prefix",
      );
    }
  }
}

function duplicates(list: (string | undefined)[], report: (index: number, text: string) => void): void {
  for (const [index, text] of list.entries()) {
    if (text !== undefined && list.indexOf(text) < index) report(index, text);
  }
}
