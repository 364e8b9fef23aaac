/** Spans of time and files of upkeep: what a config may say of them. */

import { Fault } from "./problem.ts";
import { type Kind, kind } from "./values.ts";

const UNITS: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400, day: 86_400, days: 86_400 };

/** Seconds of what {@linkcode span} lets pass. */
export function spanSeconds(text: string): number {
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(text)!;
  return Number(number) * UNITS[unit!]!;
}

const SPAN_HELP = "a number with s, min, h or d, from 1min to 1day, such as 5min";

/** From a minute to a day. */
export const span: Kind = kind("a span of time", SPAN_HELP, /[0-9a-z]/, "^[0-9]+(s|min|h|d|days?)$", (text) => {
  const [, number, unit] = /^(\d{1,6})([a-z]+)$/.exec(text) ?? [];
  if (number === undefined || !Object.hasOwn(UNITS, unit!)) {
    throw new Fault("is not a span of time", `write ${SPAN_HELP}`);
  }
  const seconds = spanSeconds(text);
  if (seconds < 60 || seconds > 86_400) {
    throw new Fault(`is ${seconds < 60 ? "less than a minute" : "more than a day"}`, `write ${SPAN_HELP}`);
  }
  return text;
});

/** Folders for data: what crxn may write below, and a mistake does no harm. */
const FOLDERS = ["/var/lib/", "/var/cache/", "/run/", "/srv/", "/opt/", "/mnt/"];
/** Of those, what belongs to others' programs or to crxn's own state. */
const TAKEN = [
  "/var/lib/crxn/",
  "/var/lib/private/",
  "/var/lib/systemd/",
  "/var/lib/dpkg/",
  "/run/systemd/",
  "/run/credentials/",
];

/** A file for node_exporter's textfile collector, which reads names that end in .prom only. */
export const metricsPath: Kind = kind(
  "the path of a metrics file",
  "an absolute path that ends in .prom, such as /var/lib/prometheus/node-exporter/crxn.prom",
  /[A-Za-z0-9_.+/-]/,
  "^/[A-Za-z0-9_.+/-]+\\.prom$",
  (text) => {
    if (!text.startsWith("/")) throw new Fault("is not an absolute path", "start it with /, as in /var/lib/crxn.prom");
    if (text.length > 255 || /\/\/|\/\.\.?(\/|$)/.test(text)) {
      throw new Fault("is not a plain path", "write it without '//', '.' or '..'");
    }
    if (!/[^/]\.prom$/.test(text)) {
      throw new Fault("does not end in .prom", "name it so: node_exporter reads no other files");
    }
    if (!FOLDERS.some((f) => text.startsWith(f)) || TAKEN.some((f) => text.startsWith(f))) {
      throw new Fault(
        "is not in a folder for data of this kind",
        `name a file below ${FOLDERS.join(", ")}, and not in crxn's or systemd's own folders`,
      );
    }
    return text;
  },
);
