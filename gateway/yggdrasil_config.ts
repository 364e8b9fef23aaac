/** yggdrasil's own config: an existing one keeps its key, its comments and all that crxn.yaml has no word for. Pure. */

import hjson from "hjson";
import template from "../assets/yggdrasil.hjson" with { type: "text" };
import type { Overlay } from "./config/types.ts";
import { CrxnError, Exit } from "./errors.ts";
import type { Identity } from "./facts.ts";
import { HEADER, Path } from "./names.ts";
import { fill } from "./template.ts";
import { addressFromKey } from "./yggdrasil_address.ts";

type Yggdrasil = Extract<Overlay, { type: "yggdrasil" }>;

/** The settings that crxn.yaml decides. */
const owned = (overlay: Yggdrasil) => ({ Peers: overlay.peers, Listen: overlay.listen, IfName: overlay.interface });

/** The file as it should be: rendered from the template, or the existing one with only our settings changed. */
export function yggdrasilConfig(overlay: Yggdrasil, identity: Identity): string {
  if (identity.text === undefined || identity.from !== "config") {
    return fill(template, {
      header: HEADER,
      privateKey: identity.privateKey ?? "",
      peers: JSON.stringify(overlay.peers),
      listen: JSON.stringify(overlay.listen),
      interface: overlay.interface,
    });
  }
  const config = parse(identity.text);
  const changes = Object.entries(owned(overlay)).filter(([k, v]) => JSON.stringify(config[k]) !== JSON.stringify(v));
  // A file that says what it should is left byte for byte.
  if (changes.length === 0) return identity.text;
  const edited = hjson.rt.parse(identity.text) as Record<string, unknown>;
  for (const [key, value] of changes) edited[key] = value;
  return hjson.rt.stringify(edited, { bracesSameLine: true, quotes: "min", space: 2 }).trimEnd() + "\n";
}

/**
 * Who this node is, from its config.
 * @throws CrxnError 69 when the file has no usable key: a daemon given such a file gets a new identity at every start.
 */
export function identityOf(text: string): Identity {
  const key = parse(text)["PrivateKey"];
  if (typeof key !== "string" || key === "") {
    const remedy = parse(text)["EncryptionPrivateKey"] === undefined
      ? `Put this node's PrivateKey into ${Path.yggdrasilConfig}, or move the file away: crxn then makes a new identity.`
      : `Its keys are of yggdrasil 0.3. Move the file away: crxn then makes a new identity for today's yggdrasil.`;
    throw new CrxnError(
      Exit.unavailable,
      `${Path.yggdrasilConfig} has no PrivateKey: yggdrasil would get a new identity at every start.`,
      remedy,
    );
  }
  if (!/^[0-9a-f]{128}$/i.test(key)) {
    throw new CrxnError(
      Exit.unavailable,
      `The PrivateKey in ${Path.yggdrasilConfig} is not 128 hex digits (it has ${key.length} characters).`,
      "Put the right key there, or move the file away: crxn then makes a new identity.",
    );
  }
  const publicKey = key.slice(64).toLowerCase();
  return { publicKey, address: addressFromKey(publicKey), from: "config", text };
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

/** A key's value in every spelling of HJSON; without quotes it goes to the end of the line. */
const SECRET = /((?:Encryption|Signing)?PrivateKey["']?\s*:\s*)(?:'''[\s\S]*?(?:'''|$)|"[^"\n]*"?|'[^'\n]*'?|[^\n]+)/g;

/** Text with secrets made unreadable, for plans and reports. */
export const maskSecrets = (text: string): string => text.replace(SECRET, "$1(not shown)");
