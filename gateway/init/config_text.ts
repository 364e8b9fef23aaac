/** The config that `crxn init` writes, with comments like the example's, and only the keys that matter. Pure. */

import { type Answers, type Document, documentOf, isGateway, isYggdrasil, valueOf } from "./answers.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { redact } from "../config/problem.ts";
import { wrap } from "../wrap.ts";

/** Words that YAML, in one of its versions, reads as something else than text. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|~)$/i;
/** Begins and goes on so that nothing in it means anything to YAML, and is no number. */
const PLAIN = /^[A-Za-z0-9_/][A-Za-z0-9_./:@?&=[\]-]*[A-Za-z0-9_./\]=-]$|^[A-Za-z_]$/;
/** To base 60 as well, which YAML 1.1 has. */
const NUMBER = /^[-+.0-9_]+(e[-+]?[0-9]+)?$|^0[xob]|^[-+]?[0-9_]+(:[0-9]+)+$/i;

/** Text as a YAML scalar in a block: plain where it can only be text (an address does not look like a number to any reader). */
export function scalar(text: string): string {
  const isAddress = /^\d+\.\d+\.\d+\.\d+/.test(text);
  return PLAIN.test(text) && !RESERVED.test(text) && (isAddress || !NUMBER.test(text)) ? text : JSON.stringify(text);
}

/** So that the file is readable on any terminal, indented as well (characters). */
const WIDTH = 70;

const comment = (...texts: string[]): string[] =>
  texts.flatMap((text) => wrap(text, WIDTH - 1)).map((line) => `# ${line}`);

/** @returns the whole file */
export function configText(answers: Answers): string {
  const document = documentOf(answers);
  const { address = [], overlay, nat64 } = document;
  const gateway = isGateway(answers);
  const entry = (key: string, value: string) => `${key}: ${scalar(value)}`;
  const lines = [
    ...comment(
      "The config of crxn, made by `crxn init`. `crxn up` makes the machine what it says.",
      "`crxn init --example` prints all keys, with what they are for.",
    ),
    "",
    ...comment("This machine's own address in the overlay."),
    ...(Array.isArray(address) ? ["address:", ...address.map((a) => `  - ${scalar(a)}`)] : [entry("address", address)]),
    "",
    ...(gateway ? gatewayLines(document, valueOf(answers, "uplink")) : [
      ...comment("Without `prefix` this is a plain overlay node, and nothing is translated."),
      ...(document.uplink ? [entry("uplink", document.uplink)] : []),
      "",
    ]),
    "overlay:",
    ...indent(overlayLines(overlay, isYggdrasil(answers))),
    ...(nat64
      ? [
        "",
        ...comment("The translator."),
        "nat64:",
        ...indent([
          ...(nat64.instance
            ? [...comment("Names its service, its device and its config."), entry("instance", nat64.instance)]
            : []),
          ...(nat64.pool
            ? [
              ...comment(
                "One address for each IPv6 client; only this machine sees it.",
                `The default is ${DEFAULTS.pool}.`,
              ),
              entry("pool", nat64.pool),
            ]
            : []),
        ]),
      ]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

function gatewayLines(document: Document, uplink: string | undefined): string[] {
  const { prefix, routed } = document;
  return [
    ...comment("Where the overlay appears in IPv6 (RFC 6052). No host may have an address in it."),
    `prefix: ${scalar(prefix ?? "")}`,
    "",
    ...(routed
      ? [
        ...comment("What is routed to this machine; what it does not use goes to a blackhole."),
        `routed: ${scalar(routed)}`,
        "",
      ]
      : []),
    ...comment("The link to the IPv6 Internet."),
    ...(document.uplink
      ? [`uplink: ${scalar(document.uplink)}`]
      : comment("By default that of the IPv6 default route, which here is:", `uplink: ${uplink ?? "eth0"}`)),
    "",
  ];
}

function overlayLines(overlay: Document["overlay"], yggdrasil: boolean): string[] {
  const list = (key: "peers" | "listen" | "local", about: string) =>
    overlay[key] ? [...comment(about), `${key}:`, ...overlay[key].map((value) => `  - ${scalar(value)}`)] : [];
  const one = (key: "interface" | "tunnel" | "daemon", about: string) =>
    overlay[key] ? [...comment(about), `${key}: ${scalar(overlay[key])}`] : [];
  const { routes } = overlay;
  return [
    ...comment(yggdrasil ? "crxn makes the link, over yggdrasil." : "The link is there already; crxn uses it."),
    `type: ${overlay.type}`,
    ...(yggdrasil
      ? one("interface", "The name that yggdrasil's device gets.")
      : [`interface: ${scalar(overlay.interface ?? "")}`]),
    ...one("tunnel", "How IPv4 travels between the nodes; both ends must use the same."),
    ...one("daemon", "The yggdrasil daemon."),
    ...list("peers", "The nodes to connect to."),
    ...list("listen", "Where other nodes may connect."),
    ...(routes
      ? [
        ...comment(
          yggdrasil
            ? "The overlay's networks, each with the public key of the node that carries it."
            : "The overlay's networks.",
        ),
        "routes:",
        ...routes.flatMap(({ to, via }) => [
          `  - to: ${scalar(to)}`,
          ...(via === undefined ? [] : [`    via: ${scalar(via)}`]),
        ]),
      ]
      : []),
    ...list("local", "Networks behind this machine."),
  ];
}

const indent = (lines: string[]) => lines.map((line) => line === "" ? "" : `  ${line}`);

/** Whether a text of the config has something in it that others must not read: a password of a peer. */
export const isSecret = (text: string): boolean => redact(text) !== text;
