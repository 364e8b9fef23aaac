/** yggdrasil's own config: an existing one keeps its key, its comments and all that crxn.yaml has no word for. Pure. */

import hjson from "hjson";
import template from "../assets/yggdrasil.hjson" with { type: "text" };
import { Program } from "./action.ts";
import { type CkrSetting, type Generation, tunnelRouting } from "./capability.ts";
import type { Overlay } from "./config/types.ts";
import { CrxnError, Exit } from "./errors.ts";
import type { Identity } from "./facts.ts";
import { HEADER, Path } from "./names.ts";
import { fill } from "./template.ts";
import { addressFromKey } from "./yggdrasil_address.ts";
import { keyPathIn, publicKeyIn, publicKeyOfPem, settingOf } from "./yggdrasil_keys.ts";

type Yggdrasil = Extract<Overlay, { type: "yggdrasil" }>;

/** Where Debian's yggdrasilctl looks for the daemon. */
const SOCKET = "unix:///var/run/yggdrasil/yggdrasil.sock";

/** How a daemon with tunnel routing is to use it. */
export interface Routing {
  ckr: CkrSetting[];
  /** `tunnel: ckr`; otherwise IPv4 travels in a kernel tunnel, and the daemon's own way for it is shut. */
  on: boolean;
  local: string[] | undefined;
}

/** The settings that crxn.yaml decides. */
const owned = (overlay: Yggdrasil, routing: Routing | undefined) => ({
  Peers: overlay.peers,
  Listen: overlay.listen,
  IfName: overlay.interface,
  ...(routing?.on ? { TunnelRouting: tunnelRouting(routing.ckr, overlay.routes, routing.local) } : {}),
});

/** The file as it should be: rendered from the template, or the existing one with only our settings changed. */
export function yggdrasilConfig(overlay: Yggdrasil, identity: Identity, routing?: Routing): string {
  const { TunnelRouting: section, ...plain } = owned(overlay, routing);
  if (identity.text === undefined || identity.from !== "config") {
    return fill(template, {
      header: HEADER,
      keys: Object.entries(identity.keys ?? {}).map(([name, key]) => `${name}: ${key}`).join("\n  "),
      peers: JSON.stringify(overlay.peers),
      listen: JSON.stringify(overlay.listen),
      interface: bare(overlay.interface),
      routing: section
        ? `\n  # Overlay networks, and the nodes that carry them.\n  TunnelRouting: ${json(section)}\n`
        : "",
    });
  }
  const config = parse(identity.text);
  const wanted: Record<string, unknown> = {
    ...plain,
    ...sectionIn(config, section, routing),
    // Others than Debian's would make their socket where user yggdrasil may not, and end.
    ...(config["AdminListen"] === undefined && overlay.daemon !== Program.yggdrasil ? { AdminListen: SOCKET } : {}),
  };
  const changes = Object.entries(wanted).filter(([k, v]) => canonical(config[k]) !== canonical(v));
  // A file that says what it should is left byte for byte.
  if (changes.length === 0) return identity.text;
  const edited = hjson.rt.parse(identity.text) as Record<string, unknown>;
  for (const [key, value] of changes) edited[key] = inPlaceOf(edited[key], value);
  return hjson.rt.stringify(edited, { bracesSameLine: true, quotes: "min", space: 2 }).trimEnd() + "\n";
}

/** A name without quotes, unless HJSON would read a number or a word of its own (`200`, `true`), on which the daemon panics. */
const bare = (name: string): string =>
  /^[A-Za-z_]/.test(name) && !["true", "false", "null"].includes(name) ? name : JSON.stringify(name);

const isMap = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);

/** The order of a map means nothing: a daemon is not restarted for it. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, v) => isMap(v) ? Object.fromEntries(Object.entries(v).sort()) : v);

const json = (value: unknown) => JSON.stringify(value, null, 2).replaceAll("\n", "\n  ");

/** The section with what the person has put beside our settings. Without `tunnel: ckr`, one that is there is shut. */
function sectionIn(
  config: Record<string, unknown>,
  section: Record<string, unknown> | undefined,
  routing: Routing | undefined,
): { TunnelRouting?: unknown } {
  const there = settingOf(config, "TunnelRouting");
  const old = typeof there === "object" && there !== null ? there as Record<string, unknown> : undefined;
  if (section) return { TunnelRouting: { ...old, ...section } };
  if (!old || !routing) return {};
  const { ckr } = routing;
  const shut = {
    ...(ckr.includes("Enable") ? { Enable: false } : { RemoteSubnets: {} }),
    // The daemon would still take the networks' packets away from the tunnels: it adds its routes whatever Enable says.
    ...(ckr.includes("InstallRoutes") ? { InstallRoutes: false } : {}),
  };
  return { TunnelRouting: { ...old, ...shut } };
}

/** Peers that come and go, where two configs of a daemon differ in nothing else. */
export function differenceInPeers(before: string, after: string): { added: string[]; removed: string[] } | undefined {
  try {
    const [old, now] = [parse(before), parse(after)];
    const rest = (config: Record<string, unknown>) => canonical({ ...config, Peers: [] });
    const [had, has] = [settingOf(old, "Peers"), settingOf(now, "Peers")].map((v) =>
      Array.isArray(v) ? v.map(String) : []
    );
    // In another spelling than ours the list would be compared with the rest, and differ there.
    if (rest(old) !== rest(now)) return undefined;
    return { added: has!.filter((p) => !had!.includes(p)), removed: had!.filter((p) => !has!.includes(p)) };
  } catch {
    return undefined;
  }
}

/** Comments hang on the list or map that they stand in: it is filled anew, not exchanged. */
function inPlaceOf(old: unknown, value: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(value)) {
    old.splice(0, old.length, ...value);
    return old;
  }
  if (!isMap(old) || !isMap(value)) return value;
  for (const [key, inner] of Object.entries(value)) old[key] = inPlaceOf(old[key], inner);
  for (const key of Object.keys(old)) if (!(key in value)) delete old[key];
  // With the comments the library keeps an order, and writes each name in it, be it there or not.
  const notes = old["__COMMENTS__"] as { o?: string[] } | undefined;
  if (notes?.o) notes.o = notes.o.filter((key) => key in value);
  return old;
}

/**
 * Who this node is, from its config.
 * @param pem what is in the file that PrivateKeyPath names, if it names one
 * @throws CrxnError 69 when the file has no usable key: a daemon given such a file gets a new identity at every start.
 */
export function identityOf(text: string, generation: Generation = "0.5", pem?: string): Identity {
  const config = parse(text);
  const path = keyPathIn(config, generation);
  const publicKey = path === undefined ? publicKeyIn(config, generation) : publicKeyOfPem(pem, path);
  return { publicKey, address: addressFromKey(publicKey, generation), from: "config", text };
}

/** The file that holds the key instead of the config, if the config names one. */
export function keyFileOf(text: string, generation: Generation): string | undefined {
  try {
    return keyPathIn(parse(text), generation);
  } catch {
    return undefined;
  }
}

/** Whether a config is for yggdrasil 0.3: it has keys of that one, and none of a later one. */
export function hasOldKeys(text: string): boolean {
  try {
    const config = parse(text);
    const has = (name: string) => Boolean(settingOf(config, name));
    return has("EncryptionPrivateKey") && !has("PrivateKey") && !has("PrivateKeyPath");
  } catch {
    return false;
  }
}

/** The `TunnelRouting` section of a daemon's config, if there is one that can be read. */
export function routingSection(text: string): Record<string, unknown> | undefined {
  try {
    const section = settingOf(parse(text), "TunnelRouting");
    return typeof section === "object" && section !== null ? section as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** Peers and listeners of a daemon's config; none where it cannot be read. */
export function peersIn(text: string): { peers: string[]; listen: string[] } {
  try {
    const config = parse(text);
    const list = (name: string) => {
      const value = settingOf(config, name);
      return Array.isArray(value) ? value.filter((v): v is string => typeof v === "string") : [];
    };
    return { peers: list("Peers"), listen: list("Listen") };
  } catch {
    return { peers: [], listen: [] };
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value = hjson.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // hjson quotes the text around the place, which may be the key: its words are not passed on.
  }
  throw new CrxnError(
    Exit.unavailable,
    `${Path.yggdrasilConfig} cannot be read as HJSON.`,
    "Mend it, or move it away: crxn then makes a new one with a new identity.",
  );
}
