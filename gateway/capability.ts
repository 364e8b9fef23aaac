/**
 * What a yggdrasil daemon can do, told from what it makes of a config of ours: `-normaliseconf` drops every setting that
 * it does not know. Neither its file name nor its version says as much (`-version` is "unknown" on many builds). Pure.
 */

/**
 * 0.3 has other keys (X25519) and other addresses than 0.4 and 0.5 (ed25519); none of the three speaks to another.
 */
export type Generation = "0.3" | "0.4" | "0.5";

/** Settings of `TunnelRouting` that some daemon knows. Which of them one keeps is its schema. */
export const CKR_SETTINGS = [
  "Enable",
  "IPv4RemoteSubnets",
  "IPv4LocalSubnets",
  "RemoteSubnets",
  "InstallRoutes",
  "YggdrasilRouting",
  "Addresses",
] as const;
export type CkrSetting = typeof CKR_SETTINGS[number];

export interface Capability {
  generation: Generation;
  /** The settings of tunnel routing (crypto-key routing) that the daemon knows; missing where it has none. */
  ckr?: CkrSetting[];
}

/** Debian's own, where it is not installed yet: no package since 0.4.0 has tunnel routing. */
export const STOCK: Capability = { generation: "0.5" };

const NETWORK = "192.0.2.0/24";
const KEY = "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb";

/** The config that the daemon is asked to normalise: every schema at once, for documentation networks (RFC 5737). */
export const PROBE = JSON.stringify({
  TunnelRouting: {
    Enable: true,
    IPv4RemoteSubnets: { [NETWORK]: KEY },
    IPv4LocalSubnets: [NETWORK],
    RemoteSubnets: { [KEY]: [NETWORK] },
    InstallRoutes: false,
    YggdrasilRouting: true,
    Addresses: [NETWORK],
  },
});

/**
 * @param output what `yggdrasil -useconf -normaliseconf -json` printed for {@linkcode PROBE}
 * @returns undefined when that is no yggdrasil's config
 */
export function capabilityOf(output: string): Capability | undefined {
  const config = objectOf(output);
  const generation = config && generationOf(config);
  if (!generation) return undefined;
  const routing = config["TunnelRouting"];
  if (typeof routing !== "object" || routing === null) return { generation };
  const ckr = CKR_SETTINGS.filter((name) => name in routing);
  // Without a place for networks and keys the rest is of no use.
  const usable = ckr.includes("IPv4RemoteSubnets") || ckr.includes("RemoteSubnets");
  return { generation, ...(usable ? { ckr } : {}) };
}

function generationOf(config: Record<string, unknown>): Generation | undefined {
  if ("EncryptionPrivateKey" in config) return "0.3";
  if (!("PrivateKey" in config)) return undefined;
  // 0.5 no longer writes the public half beside the private key.
  return "PublicKey" in config ? "0.4" : "0.5";
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** The schema of a daemon's tunnel routing in the words of its own config, for people. */
export const schemaName = (ckr: CkrSetting[]): string => `TunnelRouting with ${ckr.join(", ")}`;

/** What of a `TunnelRouting` section a daemon passes over in silence. */
export const ignoredSettings = (section: Record<string, unknown>, { ckr }: Capability): string[] =>
  Object.keys(section).filter((name) => !ckr?.includes(name as CkrSetting));

/**
 * The `TunnelRouting` section that maps overlay networks to far nodes, in the daemon's own schema.
 * @param routes networks and the public keys of the nodes that carry them
 * @param local networks of this side; undefined where any may be
 */
export function tunnelRouting(
  ckr: CkrSetting[],
  routes: { to: string; via: string }[],
  local: string[] | undefined,
): Record<string, unknown> {
  const keys = [...new Set(routes.map((r) => r.via))];
  const values: Record<CkrSetting, unknown> = {
    Enable: true,
    IPv4RemoteSubnets: Object.fromEntries(routes.map((r) => [r.to, r.via])),
    // What is not in it is neither sent nor let in (yggdrasil 0.3, ckr.go).
    IPv4LocalSubnets: local ?? ["0.0.0.0/0"],
    RemoteSubnets: Object.fromEntries(keys.map((key) => [key, routes.filter((r) => r.via === key).map((r) => r.to)])),
    // The routes are crxn's own, with `proto 64`: what the daemon adds could not be told from anybody's.
    InstallRoutes: false,
    // yggdrasil's own addresses go on working beside it.
    YggdrasilRouting: true,
    // So are the addresses.
    Addresses: [],
  };
  // One that reads the old map as well would find every network twice.
  const names = ckr.filter((name) => name !== "IPv4RemoteSubnets" || !ckr.includes("RemoteSubnets"));
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
