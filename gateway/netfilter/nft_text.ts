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
    case "snat":
    case "dnat":
      return `${name} to ${expression(more["addr"])}${
        more["port"] === undefined ? "" : `:${expression(more["port"])}`
      }`;
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
        list.map((e) => Array.isArray(e) ? `${expression(e[0])} : ${statement(e[1] as Json)}` : expression(e)).join(
          ", ",
        )
      } }`;
    case "concat":
      return list.map(expression).join(" . ");
    case "elem":
      return expression(more["val"]);
    case "&":
    case "|":
      return list.map(expression).join(` ${name} `);
    case "fib":
      return `fib ${list.length ? "" : [more["flags"]].flat().join(" . ")} ${more["result"]}`;
    default:
      return JSON.stringify(value);
  }
}
