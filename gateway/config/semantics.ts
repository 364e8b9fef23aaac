/** What only the values together can tell. Pure: it looks at the config alone; on_machine.ts looks at the machine too. */
import { clearHostBits, contains, formatAddress, formatNetwork, host, type Network, overlaps } from "../cidr.ts";
import type { Draft } from "./draft.ts";
import type { Finding } from "./problem.ts";
import { quote } from "./problem.ts";
import { duplicates, type Report } from "./report.ts";
import { checkInterface, checkPeers, checkRoutes } from "./semantics_overlay.ts";
import { nameFits, roomOf, workerName } from "../workers.ts";
import { translatorDevice } from "../names.ts";

/** The network of `routed` when the config does not name it: the /64 around the prefix, or the prefix where it is no longer than that. */
export function defaultRouted(prefix: Network): Network {
  return clearHostBits({ ...prefix, length: Math.min(prefix.length, 64) });
}

/** All mistakes in how the values of a config fit together; those that draft.ts could not read are left to the schema. */
export function semanticFindings(draft: Draft): Finding[] {
  const found: Finding[] = [];
  const report: Report = (path, message, remedy, at) => found.push({ path, message, remedy, at });
  checkGateway(draft, report);
  checkNames(draft, report);
  checkInterface(draft, report);
  checkRoutes(draft, report);
  checkPeers(draft, report);
  if (draft.given.prefix) {
    checkPool(draft, report);
    checkMaps(draft, report);
  }
  if (draft.given.prefix) checkWorkers(draft, report);
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

function checkWorkers({ workers = 1, instance, pool }: Draft, report: Report): void {
  const path = ["nat64", "workers"];
  const most = pool ? roomOf(formatNetwork(pool)) : workers;
  if (workers > most) {
    report(
      path,
      `the pool ${formatNetwork(pool!)} is too small for ${workers} translators, of which each needs a /29 of its own`,
      `write workers: ${Math.max(1, most)}, or take a larger pool`,
    );
  } else if (instance && !nameFits(instance, workers)) {
    const name = workerName(instance, workers - 1);
    report(
      path,
      `the device ${translatorDevice(name)} of translator ${workers} would have more than 15 characters`,
      `shorten nat64.instance ${quote(instance)} by ${translatorDevice(name).length - 15}`,
    );
  }
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
    const v4 = () => quote(formatAddress(ipv4!));
    if (ipv4 && addresses.some((a) => a?.value === ipv4.value)) {
      report(
        [...path, "ipv4"],
        `${v4()} is this machine's own overlay address`,
        "take another address of your assignment",
      );
    }
    if (ipv4 && pool && contains(pool, ipv4)) {
      report(
        [...path, "ipv4"],
        `${v4()} is inside the pool ${formatNetwork(pool)}`,
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
