/** Configs that are no YAML, or more of it than a config may be. */

import { type BrokenConfig, wg } from "./base.ts";

export const YAML: BrokenConfig[] = [
  { name: "empty file", yaml: "", at: "1:1", says: "the file is empty" },
  { name: "only comments", yaml: "# nothing\n", at: "1:1", says: "the file is empty" },
  { name: "list instead of a map", yaml: "- address: 10.5.0.1/32\n", at: "1:1", says: "the file is a list, not a map" },
  { name: "one word", yaml: "hello\n", at: "1:1", says: "with a space behind the colon" },
  wg("duplicate key", "uplink: eth0", "uplink: eth0\naddress: 10.5.0.2/32", "5:1", "this key is there twice"),
  wg("tab as indentation", "  interface: wg0", "\tinterface: wg0", "7:1", "indent with spaces"),
  wg(
    "tab that the quick parser reads as the top level",
    "nat64:\n  instance: ygg\n",
    "nat64:\n\tinstance: ygg\n",
    "11:1",
    "indent with spaces",
  ),
  wg("second document", "nat64:", "---\nnat64:", "10:1", "one file is one document"),
  wg("anchor", "eth0", "&up eth0", "4:9", "&up is an anchor"),
  wg("alias without anchor", "eth0", "*up", "4:9", "write the value itself"),
  wg("merge", "  type: interface", "  <<: {type: interface}", "6:3", "'<<' merges maps"),
  {
    name: "alias bomb",
    yaml: `a: &a [x, x]\n${
      [..."bcdefghijklmnopqrstuvwxyz"].map((c, i) =>
        `${c}: &${c} [${`*${"abcdefghijklmnopqrstuvwxyz"[i]}, `.repeat(9)}x]`
      ).join("\n")
    }\n`,
    at: "1:4",
    says: "&a is an anchor",
  },
  wg("tag", "eth0", "!!binary ZXRoMA==", "4:9", "remove it"),
  wg("unclosed quote", "wg0", '"wg0', "13:1", "close the quote"),
  wg("list as key", "uplink: eth0", "? [a, b]\n: eth0", "4:3", "a key here is a list or a map"),
  wg("number as key", "uplink: eth0", "1: eth0", "4:1", '"1" is not a key of this file'),
  { name: "bottomless nesting", yaml: `address: ${"[".repeat(50_000)}`, at: "1:1", says: "nested too deeply" },
  { name: "endless file", yaml: `address: 10.5.0.1 #${"x".repeat(300_000)}`, at: "1:1", says: "far too long" },
  wg("control character", "eth0", '"eth0\\e[31m"', "4:9", "character 5 is U+001B"),
  wg("NUL in the text", "eth0", "eth\u00000", "4:12", "a control character (U+0000)"),
];
