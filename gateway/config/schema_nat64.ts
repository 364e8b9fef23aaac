/** The part of the schema about the translator. */
import { MOST_WORKERS } from "../workers.ts";
import * as networks from "./networks.ts";
import { either, list, map, meta, optional, otherwise, text, want, whole, word } from "./schema_words.ts";
import * as values from "./values.ts";
import { DEFAULTS } from "./defaults.ts";

export const pair = map({
  ipv4: text(networks.mapIpv4, "The overlay address that stands for the IPv6 host.", "10.5.0.2"),
  ipv6: text(networks.mapIpv6, "The IPv6 host.", "2001:db8::2"),
}, want("a pair", "{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}"));

const mssWant = want("a segment size", "auto, off, or 536 to 65495 (bytes)");
const workersWant = want("a number of translators", `auto, or 1 to ${MOST_WORKERS}`);

const limitWant = want("a number", "a whole number from 1 to 1000000");
const limit = (description: string) => meta(optional(whole(1, 1_000_000, limitWant)), { description });
export const limits = map({
  per64: limit("New sources of a /64 in a day. Default: a sixteenth of the pool, 8 to 256."),
  per48: limit("New sources of a /48 in a day. Default: a quarter of the pool, 16 to 4096."),
  flows: limit("Connections of a /64 at once. Default: 8192."),
});

export const nat64 = map({
  instance: otherwise(
    text(values.instanceName, "Names tayga@NAME, the device nat64-NAME and /etc/tayga/NAME.conf.", "ygg"),
    DEFAULTS.instance,
  ),
  pool: otherwise(
    text(networks.poolNetwork, "One IPv4 address of it for each IPv6 client, kept two hours and more.", DEFAULTS.pool),
    DEFAULTS.pool,
  ),
  maps: meta(otherwise(list(pair, "maps: [{ipv4: 10.5.0.2, ipv6: '2001:db8::2'}], or [] for none"), []), {
    description: "Fixed pairs of an overlay address and an IPv6 host.",
  }),
  clients: meta(
    otherwise(list(text(networks.clientNetwork, "An IPv6 network.", "::/0"), "clients: ['::/0']"), [
      ...DEFAULTS.clients,
    ]),
    { description: "Which IPv6 sources may use the gateway." },
  ),
  limits: meta(
    optional(either(
      [word(["off"]), limits],
      want("off or a map of limits", "limits: {per64: 256, per48: 4096, flows: 8192}, or off"),
    )),
    { description: "How much of the pool and of connection tracking one IPv6 network may take; or off." },
  ),
  workers: meta(
    otherwise(
      either(
        [word(["auto"]), whole(1, MOST_WORKERS, workersWant)],
        workersWant,
      ),
      1,
    ),
    {
      description: "Translators side by side, each with its part of the pool: a number, or auto (by cores and memory).",
    },
  ),
  mss: meta(
    otherwise(
      either(
        [word(["auto", "off"]), whole(536, 65495, mssWant)],
        mssWant,
      ),
      "auto",
    ),
    { description: "TCP segment size: auto (measured), off, or bytes." },
  ),
}, want("a map of keys", "its keys below it, indented, or leave it out"));
