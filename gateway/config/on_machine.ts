import { clearHostBits, contains, formatAddress, formatNetwork, host, network, overlaps } from "../cidr.ts";
import { placesOf } from "./places.ts";
import { type Finding, placed, type Problem, quote } from "./problem.ts";

import type { Config, Nat64 } from "./types.ts";
import type { Family } from "../item.ts";
import { workerDevices } from "../workers.ts";

/**
 * What is wrong with a good config on this very machine: overlaps with networks that are already there.
 * @param config without `uplink` the devices of the default routes are uplinks; without any every link but the overlay, lo and
 *   nat64-*
 * @param networks the machine's addresses with their lengths ("192.0.2.7/24"), connected networks, and its default gateways
 *   as /32; `device` is where each is
 * @param uplinks devices of the default routes
 * @returns problems in file order; none when the config fits
 */
export async function problemsOnMachine(
  config: Config,
  text: string,
  file: string,
  networks: { network: string; device: string }[],
  uplinks: Uplinks = {},
): Promise<Problem[]> {
  const findings = findingsOnMachine(config, networks, uplinks);
  if (findings.length === 0) return [];
  const places = await placesOf(text);
  return placed(findings, file, ({ path, at }) => places.at(path, at));
}

/** The devices of a machine's default routes. */
export type Uplinks = Partial<Record<Family, string>>;

/** The same without places; of the config only what is compared need be there. */
export function findingsOnMachine(
  config: Pick<Config, "prefix" | "uplink"> & {
    overlay: Pick<Config["overlay"], "interface" | "routes">;
    nat64?: Pick<Nat64, "instance" | "pool" | "workers">;
  },
  networks: { network: string; device: string }[],
  uplinks: Uplinks = {},
): Finding[] {
  const findings: Finding[] = [];
  const add = (path: Finding["path"], value: string, message: string, remedy: string) => {
    // A machine names one network several times: as address, as connected route.
    if (!findings.some((finding) => finding.path.join() === path.join())) {
      findings.push({ path, value, message: `${quote(value)} ${message}`, remedy });
    }
  };
  const { interface: link } = config.overlay;
  // A node has no use for an uplink of its own, and the IPv4 Internet may well be behind the overlay's link.
  if (config.prefix && !config.uplink && link === uplinks.inet6) {
    add(
      ["overlay", "interface"],
      link,
      "is the uplink: what is meant against the overlay would shut this machine's own way to the Internet",
      "name the link to the overlay, or, where it is that, write uplink: and the other one's name",
    );
  }
  const own = config.uplink
    ? [config.uplink]
    : [uplinks.inet6, uplinks.inet].filter((name) => name !== undefined && name !== link);
  const translators = config.nat64 ? workerDevices(config.nat64) : [];
  for (const { network: name, device } of networks) {
    const there = network(name);
    // By hand a translator's device gets an address of the pool, with its length.
    if (there.length === 0 || device === "lo" || translators.includes(device)) continue;
    const clean = formatNetwork(clearHostBits(there));
    const on = `${clean} on ${device}`;
    if (config.nat64 && overlaps(network(config.nat64.pool), there)) {
      add(
        ["nat64", "pool"],
        config.nat64.pool,
        `overlaps this machine's network ${on}`,
        "use a private network that nobody else here uses, such as 192.168.64.0/18",
      );
    }
    if (config.prefix && !device.startsWith("nat64-") && contains(network(config.prefix), host(there))) {
      const address = formatAddress(there);
      add(
        ["prefix"],
        config.prefix,
        `holds this machine's address ${address} on ${device}: whatever is inside the prefix is taken for an embedded IPv4 address`,
        `choose another /96 of the routed network, or move ${address} out of it`,
      );
    }
    const uplink = own.length > 0 ? own.includes(device) : device !== link && !device.startsWith("nat64-");
    for (const [index, { to }] of config.overlay.routes.entries()) {
      if (uplink && contains(network(to), there)) {
        add(
          ["overlay", "routes", index, "to"],
          to,
          `contains ${on}, the way this machine reaches the Internet`,
          `name smaller overlay networks that leave ${clean} out`,
        );
      }
    }
  }
  return findings;
}
