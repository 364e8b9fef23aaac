/** What only the values together can tell of the overlay: its routes, its nodes, its peers. Pure. */
import { contains, formatAddress, formatNetwork, host, network } from "../cidr.ts";
import { tunnelDevice } from "../names.ts";
import type { Draft } from "./draft.ts";
import { quote } from "./problem.ts";
import { duplicates, type Report } from "./report.ts";
import { literalHost } from "./uri.ts";

/** A next hop may be of it (RFC 3927), but tayga drops packets to and from it. */
const LINK_LOCAL = network("169.254.0.0/16");

export function checkRoutes({ addresses, type, routes = [], local, given }: Draft, report: Report): void {
  duplicates(addresses.map((a) => a && formatAddress(a)), (index, text) => {
    report(["address", index], `${quote(text)} is there twice`, "name each address once");
  });
  duplicates(local.map((n) => n && formatNetwork(n)), (index, text) => {
    report(["overlay", "local", index], `${quote(text)} is there twice`, "remove one");
  });
  const routed = new Set(routes.map(({ to }) => to && formatNetwork(to)));
  for (const [index, network] of local.entries()) {
    if (!network || !routed.has(formatNetwork(network))) continue;
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
    if (to && given.prefix && contains(LINK_LOCAL, to)) {
      report(
        ["overlay", "routes", index, "to"],
        `${quote(formatNetwork(to))} is link-local, which tayga never translates`,
        "remove the route: a gateway leads to networks that are routed, such as 10.0.0.0/8",
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

/** Names that yggdrasil does not take for names (`IfName`): it would choose another, or make no device at all. */
const NO_NAMES: Record<string, string> = {
  auto: "has yggdrasil choose a name itself",
  none: "has yggdrasil make no device",
  dummy: "has yggdrasil make no device",
};

export function checkInterface({ type, interface: name = "" }: Draft, report: Report): void {
  if (type !== "yggdrasil" || !Object.hasOwn(NO_NAMES, name)) return;
  report(
    ["overlay", "interface"],
    `${quote(name)} is no name: it ${NO_NAMES[name]}`,
    "write the name that its device is to get, such as ygg, or leave it out",
  );
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

export function checkPeers({ peers, listen, routes = [] }: Draft, report: Report): void {
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
