/** A rule of nftables in nft's own language, from its JSON; what is not known here stays JSON. Pure. nft(8). */

import type { NftRule } from "./nft.ts";
import { isObject } from "./nft_value.ts";

type Json = Record<string, unknown>;

export const ruleText = ({ expr, comment }: NftRule): string =>
  [...expr.map(statement), ...(comment === undefined ? [] : [`comment "${comment.replace(/["\\]/g, "\\$&")}"`])].filter(
    (t) => t !== "",
  ).join(
    " ",
  );

function statement(item: Json): string {
  const [name = "", value] = Object.entries(item ?? {})[0] ?? [];
  const more = isObject(value) ? value : {};
  switch (name) {
    case "match": {
      const operator = more["op"] === "==" || more["op"] === "in" ? "" : `${more["op"]} `;
      return `${expression(more["left"])} ${operator}${expression(more["right"])}`;
    }
    case "vmap":
      return `${expression(more["key"])} vmap ${expression(more["data"])}`;
    case "jump":
    case "goto":
      return `${name} ${more["target"]}`;
    case "unread":
      return String(value);
    case "counter":
      return "counter";
    case "log":
      return more["prefix"] === undefined ? "log" : `log prefix "${more["prefix"]}"`;
    case "reject":
      return more["expr"] === undefined ? "reject" : `reject with ${more["type"]} ${more["expr"]}`;
    case "limit":
      return `limit rate ${more["inv"] ? "over " : ""}${more["rate"]}/${more["per"]}`;
    case "ct count":
      return `ct count ${more["inv"] ? "over " : ""}${more["val"]}`;
    case "set":
    case "map":
      return `${more["op"]} ${more[name]} ${kept(more["elem"], more["data"], more["stmt"])}`;
    case "meter":
      return `meter ${more["name"]} ${kept(more["key"], undefined, more["stmt"])}`;
    case "snat":
    case "dnat":
      return [name, ...[more["family"] ?? []].flat(), "to", whereTo(more["addr"], more["port"])].join(" ");
    case "mangle":
      return `${expression(more["key"])} set ${expression(more["value"])}`;
    case "queue":
      return [
        "queue",
        ...[more["flags"] ?? []].flat().map(String),
        ...(more["num"] === undefined ? [] : ["num", expression(more["num"])]),
      ].join(" ");
    case "xt":
      return `xt ${more["type"]} "${more["name"]}"`;
    case "masquerade":
    case "redirect":
      return more["port"] === undefined ? name : `${name} to :${expression(more["port"])}`;
    default:
      return value === null ? name : `${name} ${JSON.stringify(value)}`;
  }
}

function whereTo(addr: unknown, port: unknown): string {
  const address = addr === undefined ? "" : expression(addr);
  if (port === undefined) return address;
  return `${typeof addr === "string" && addr.includes(":") ? `[${addr}]` : address}:${expression(port)}`;
}

/** What a packet leaves in a set, a map or a meter, with the limit of its own that it has there. */
function kept(key: unknown, data: unknown, stmt: unknown = []): string {
  const value = data === undefined ? "" : ` : ${expression(data)}`;
  const words = [expression(key), ...[stmt].flat().map((one) => isObject(one) ? statement(one) : String(one))];
  return `{ ${words.join(" ")}${value} }`;
}

/** Keys of `meta` that nft prints without the word. */
const SHORT = new Set(["iif", "iifname", "oif", "oifname", "iiftype", "oiftype", "skuid", "skgid"]);

function expression(value: unknown): string {
  if (Array.isArray(value)) return value.map(expression).join(",");
  if (!isObject(value)) return String(value);
  const [name = "", inner] = Object.entries(value)[0] ?? [];
  const more = isObject(inner) ? inner : {};
  const list = Array.isArray(inner) ? inner : [];
  switch (name) {
    case "meta":
      return SHORT.has(String(more["key"])) ? String(more["key"]) : `meta ${more["key"]}`;
    case "ct":
      return `ct ${more["dir"] === undefined ? "" : `${more["dir"]} `}${more["key"]}`;
    case "payload":
      return more["field"] === undefined
        ? `@${more["base"]},${more["offset"]},${more["len"]}`
        : `${more["protocol"]} ${more["field"]}`;
    case "prefix":
      return `${more["addr"]}/${more["len"]}`;
    case "range":
      return list.map(expression).join("-");
    case "set":
      return `{ ${
        list.map((e) => Array.isArray(e) ? `${expression(e[0])} : ${ofMap(e[1])}` : expression(e)).join(", ")
      } }`;
    case "map":
      return `${expression(more["key"])} map ${expression(more["data"])}`;
    case "concat":
      return list.map(expression).join(" . ");
    case "elem":
      return `${expression(more["val"])}${more["timeout"] === undefined ? "" : ` timeout ${more["timeout"]}s`}`;
    case "&":
    case "|":
      return list.map(expression).join(` ${name} `);
    case "fib":
      return `fib ${list.length ? "" : [more["flags"]].flat().join(" . ")} ${more["result"]}`;
    default:
      return JSON.stringify(value);
  }
}

/** What a map has for a key: a verdict, or a value. */
function ofMap(value: unknown): string {
  const [name = ""] = isObject(value) ? Object.keys(value) : [];
  return ["accept", "drop", "continue", "return", "jump", "goto"].includes(name)
    ? statement(value as Json)
    : expression(value);
}
