/** A gateway that somebody has made by hand, read from a survey: what a config has to say so that `up` takes it over. Pure. */

import { parseNetwork } from "./cidr.ts";
import { CrxnError, Exit } from "./errors.ts";
import { translatorDevice, Unit } from "./names.ts";
import {
  addressesOn,
  lacking,
  overlayLink,
  overlayRoutes,
  routedAround,
  sourceOn,
  translationOf,
} from "./hand_made_overlay.ts";
import { hostAt } from "./networks.ts";
import { linkOf, type Survey } from "./survey.ts";
import { readTaygaConfig, type TaygaConfig } from "./tayga_config.ts";

/** A config of tayga's on the machine, and whether it runs. */
export interface TaygaSeen {
  file: string;
  /** NAME of /etc/tayga/NAME.conf; undefined for Debian's /etc/tayga.conf. */
  instance?: string;
  text: string;
  running: boolean;
}

export interface HandMade {
  instance: string;
  /** The file that tayga reads. */
  file: string;
  addresses: string[];
  prefix: string;
  routed?: string;
  link: string;
  routes: { to: string; via?: string }[];
  pool: string;
  maps: { ipv4: string; ipv6: string }[];
  /** What the config cannot say, and what will be in the way. */
  notes: string[];
}

/**
 * @param wanted the instance, where there are several
 * @throws CrxnError 69 where there is no such gateway, 64 where there are several
 */
export function readHandMade(survey: Survey, taygas: TaygaSeen[], wanted?: string): HandMade {
  const { file, instance, text } = choose(taygas, wanted);
  const tayga = readTaygaConfig(text);
  const { device, prefix, pool } = tayga;
  const missing = Object.entries({ "tun-device": device, prefix, "dynamic-pool": pool }).filter(([, v]) => !v);
  if (!device || !prefix || !pool) {
    throw lacking(
      `${file} has no ${missing.map(([k]) => k).join(", ")}.`,
      "crxn needs them: write a config by hand (`crxn init`).",
    );
  }
  if (parseNetwork(pool)?.family !== 4 || parseNetwork(prefix)?.family !== 6) {
    throw lacking(
      `${file} has a prefix or a dynamic-pool that is no network.`,
      "tayga would not start with it: correct it.",
    );
  }
  const nat = translationOf(survey, pool);
  const link = overlayLink(survey, device, prefix, pool, nat);
  const source = sourceOn(link, nat);
  const routes = overlayRoutes(survey, device, prefix, link);
  const routed = routedAround(survey, prefix);
  const name = instance ?? device.replace(/^nat64-/, "");
  return {
    instance: name,
    file,
    addresses: addressesOn(survey, link, source),
    prefix,
    ...(routed ? { routed } : {}),
    link,
    routes,
    pool,
    maps: tayga.maps.map(({ ipv4, ipv6 }) => ({ ipv4: ipv4.replace(/\/32$/, ""), ipv6: ipv6.replace(/\/128$/, "") })),
    notes: [...translatorNotes(tayga, file, name, instance), ...linkNotes(survey, link, source)],
  };
}

function choose(taygas: TaygaSeen[], wanted?: string): TaygaSeen {
  const names = taygas.map((t) => t.instance ?? t.file).join(", ");
  const fitting = wanted === undefined ? taygas : taygas.filter((t) => t.instance === wanted || t.file === wanted);
  const running = fitting.filter((t) => t.running);
  const [only, second] = running.length > 0 ? running : fitting;
  if (!only) {
    throw lacking(
      wanted === undefined
        ? "There is no gateway here to import: no config of tayga."
        : `No tayga of the name ${wanted} is here.`,
      names ? `There are: ${names}.` : "`crxn init` makes a config for a new one.",
    );
  }
  if (second) {
    throw new CrxnError(Exit.usage, `Several translators are here: ${names}.`, "Say which one with --instance NAME.");
  }
  return only;
}

function translatorNotes(tayga: TaygaConfig, file: string, name: string, instance?: string): string[] {
  const { device, ipv4, pool, other, data } = tayga;
  const own = hostAt(pool!, 1);
  const restarts = "so `up` starts tayga anew: less than a second without translation";
  return [
    ...(instance === undefined || device !== translatorDevice(name)
      ? [
        `${file} and its device ${device} are in the way of crxn's: /etc/tayga/${name}.conf, ${
          translatorDevice(name)
        }. ` +
        `Stop that tayga and remove what it made before \`crxn up\`.`,
      ]
      : []),
    ...(ipv4 !== undefined && ipv4 !== own ? [`tayga's own address is ${ipv4}; crxn's is ${own}, ${restarts}.`] : []),
    ...(other.length > 0 ? [`crxn does not write these lines of ${file}, ${restarts}: ${other.join("; ")}.`] : []),
    ...(data && data !== `/var/lib/tayga/${name}`
      ? [
        `tayga's list of clients is in ${data}; from its next start on it is in /var/lib/tayga/${name}, and begins empty.`,
      ]
      : []),
  ];
}

/** A link of yggdrasil's stays its daemon's: crxn would make another device, and the overlay would be gone meanwhile. */
function linkNotes(survey: Survey, link: string, source: string | undefined): string[] {
  const { kind, addresses } = linkOf(survey, link)!;
  const yggdrasil = kind === "tun" && survey.units[Unit.yggdrasil]?.active === "active";
  return [
    ...(source !== undefined && !addresses.some((a) => a.address.split("/")[0] === source)
      ? [`Clients appear in the overlay as ${source} now, which is no address of ${link}; crxn takes the link's first.`]
      : []),
    ...(yggdrasil
      ? [`${link} seems to be yggdrasil's: its daemon, its keys and yggdrasil.conf stay as they are, and yours.`]
      : []),
  ];
}
