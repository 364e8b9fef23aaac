/** Blueprint: what a machine should be, computed from the config and a few facts, without touching anything. */

import sysctlTemplate from "../assets/sysctl.conf" with { type: "text" };
import { Program } from "./action.ts";
import type { Config } from "./config/types.ts";
import { daemonPath, programItems } from "./daemon.ts";
import type { Facts } from "./facts.ts";
import { firewallItems } from "./firewall.ts";
import {
  type FileItem,
  fileItem,
  type Item,
  type PackageItem,
  packageItem,
  serviceItem,
  type SysctlItem,
  sysctlItem,
  unwantedItem,
} from "./item.ts";
import { limitItems } from "./limits.ts";
import { dropInPath, HEADER, Path, Unit, unitPath } from "./names.ts";
import { overlayItems } from "./overlay.ts";
import type { FarNode, Way } from "./overlay_nodes.ts";
import { fill } from "./template.ts";
import { taygaConfigFile, translatorItems } from "./translator.ts";
import { upkeepItems } from "./upkeep.ts";
import { type Translator, workersOf } from "./workers.ts";
import { firewallFiles, linkFiles, overlayUnitFiles, translatorUnitFiles } from "./units.ts";

export interface Blueprint {
  config: Config;
  facts: Facts;
  /** The device on which overlay packets leave and arrive; with several far nodes the first one's. */
  overlayDevice: string;
  /** All devices into the overlay, and the networks behind each. */
  ways: Way[];
  /** The far nodes of a yggdrasil overlay. */
  nodes: FarNode[];
  /** The translators of a gateway. */
  workers: Translator[];
  /** In the order in which they are made. */
  items: Item[];
}

export function blueprint(config: Config, facts: Facts): Blueprint {
  const overlay = overlayItems(config, facts);
  const workers = workersOf(config);
  const translator = translatorItems(config, facts);
  const sysctls = [...sysctlItems(config, facts), ...translator.sysctls];
  const chains = firewallItems(config, facts, overlay);
  const limits = limitItems(config);
  const daemon = config.overlay.type === "yggdrasil" ? Unit.yggdrasil : undefined;
  const own = config.overlay.type === "yggdrasil" ? daemonPath(config.overlay.daemon) : Program.yggdrasil;
  // What is on a link of somebody else comes and goes with it; the rest must not wait for it.
  const follows = config.overlay.type === "interface";
  const isOnLink = (i: Item) => follows && "device" in i && i.device !== undefined;
  const onLink = overlay.routes.filter(isOnLink);
  const lasting = overlay.routes.filter((i) => !isOnLink(i));
  const before = [Unit.overlay, ...workers.map((w) => Unit.translator(w.instance))];

  const upkeep = upkeepItems(config, facts);

  const files: FileItem[] = [
    fileItem(Path.sysctl, fill(sysctlTemplate, { header: HEADER, lines: sysctlLines(sysctls) })),
    ...firewallFiles(chains, before, limits?.table),
    ...(limits ? [limits.file] : []),
    // The kernel parameters once more: ifupdown, another sysctl file or a container may have the last word before.
    ...overlayUnitFiles([...sysctls, ...overlay.links, ...overlay.sysctls, ...lasting, ...translator.together], daemon),
    ...(follows ? linkFiles(overlay.ways[0]!.device, onLink) : []),
    ...overlay.files,
    ...workers.flatMap((
      w,
    ) => [taygaConfigFile(w, config), ...translatorUnitFiles(w.instance, translator.madeBy(w), facts.handWork)]),
    ...upkeep.files,
  ];
  return {
    config,
    facts,
    overlayDevice: overlay.ways[0]!.device,
    ways: overlay.ways,
    nodes: overlay.nodes,
    workers,
    items: [
      ...packageItems(config),
      ...programItems(config),
      ...(workers.length > 0 ? [unwantedItem(Unit.sampleTranslator)] : []),
      ...files,
      ...sysctls,
      ...chains,
      ...(limits ? [limits.table] : []),
      ...overlay.links,
      ...overlay.sysctls,
      ...overlay.routes,
      ...translator.own,
      ...(workers.length === 1 ? translator.slices : []),
      ...(chains.length > 0 ? [serviceItem(Unit.firewall)] : []),
      serviceItem(Unit.overlay),
      ...(follows ? [serviceItem(Unit.link, { reads: [Path.linkScript, unitPath(Unit.link)] })] : []),
      ...(daemon
        ? [serviceItem(daemon, {
          reads: [Path.yggdrasilConfig, dropInPath(daemon)],
          ...(own === Program.yggdrasil ? {} : { program: own }),
          interrupts: "the overlay, until its peers are back: 2 to 6 seconds",
          pulls: ["network-online.target"],
        })]
        : []),
      ...workers.map(({ instance }) =>
        serviceItem(Unit.translator(instance), {
          reads: [Path.taygaConfig(instance), unitPath(Unit.translator(instance))],
          interrupts: "translation, for less than a second",
        })
      ),
      // Of several each one runs before it gets its share of the clients.
      ...(workers.length > 1 ? translator.slices : []),
      ...upkeep.services,
    ],
  };
}

export const packageItems = (config: Config): PackageItem[] =>
  [
    "iproute2",
    "iptables",
    "iputils-ping",
    "nftables",
    "procps",
    ...(config.nat64 ? ["tayga"] : []),
    ...(config.overlay.type === "yggdrasil" ? ["yggdrasil"] : []),
  ].map(packageItem);

/** accept_ra first: see assets/sysctl.conf. */
const sysctlItems = (config: Config, facts: Facts): SysctlItem[] => [
  ...(config.nat64 ? facts.advertised.map((d) => sysctlItem(["net/ipv6/conf", d, "accept_ra"], "2")) : []),
  sysctlItem(["net/ipv4/ip_forward"], "1"),
  ...(config.nat64 ? [sysctlItem(["net/ipv6/conf/all/forwarding"], "1")] : []),
];

const sysctlLines = (items: SysctlItem[]) => items.map((i) => `${i.key} = ${i.value}`).join("\n");
