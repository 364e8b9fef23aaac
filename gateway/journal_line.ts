/** Whether a line of the journal has all that the code counts on. Pure. */

import type { Item } from "./item.ts";

/** Fields that the code counts on, of each kind of item: text, or a list or map. */
const FIELDS: Record<Item["kind"], [texts: string[], objects?: string[]]> = {
  package: [["name"]],
  program: [["path", "url", "sha256"]],
  file: [["path", "content"]],
  sysctl: [["key", "value"]],
  link: [["name"], ["spec"]],
  address: [["family", "address", "device"]],
  route: [["family", "to", "type"]],
  chain: [["family", "table", "chain", "from"], ["rules"]],
  table: [["name", "text", "mark", "file"]],
  service: [["unit"], ["reads"]],
  unwanted: [["unit"]],
};

/** Whether a line has what its kind needs: what a damaged one would have done is not tried. */
export function isWhole(line: Record<string, unknown>): boolean {
  if ("did" in line) {
    const { item, before, wrote } = objectOr(line["did"]);
    return isItem(item) && isBefore(before) && (wrote === undefined || isTexts(wrote));
  }
  if ("undid" in line || "removed" in line) return typeof (line["undid"] ?? line["removed"]) === "string";
  if ("brought" in line) return isTexts(line["brought"]);
  if (!("fetched" in line)) return true;
  const fetched = objectOr(line["fetched"]);
  return ["path", "url", "sha256", "program"].every((key) => typeof fetched[key] === "string");
}

const objectOr = (value: unknown) => (isObject(value) ? value : {}) as Record<string, unknown>;
const isObject = (value: unknown) => typeof value === "object" && value !== null;
const isTexts = (value: unknown) => Array.isArray(value) && value.every((v) => typeof v === "string");

function isItem(value: unknown): boolean {
  const item = objectOr(value);
  const [texts, objects = []] = Object.hasOwn(FIELDS, String(item["kind"]))
    ? FIELDS[item["kind"] as Item["kind"]]
    : [[""]];
  return ["id", ...texts].every((key) => typeof item[key] === "string") && objects.every((key) => isObject(item[key]));
}

function isBefore(value: unknown): boolean {
  const { file, folders, sysctls, unit, targets } = objectOr(value);
  const whole = (v: unknown) => v === undefined || isObject(v);
  return isObject(value) && [folders, targets].every((v) => v === undefined || isTexts(v)) && whole(sysctls) &&
    whole(unit) && (file == null || typeof objectOr(file)["base64"] === "string");
}
