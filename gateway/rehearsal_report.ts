/** A rehearsal for its reader: the path as a picture with counters, in at most 80 columns. Pure. */

import type { Place, Rehearsal } from "./rehearsal.ts";

/** Packets on one device, as the kernel counts them: `received` come in from the cable or the daemon behind it. */
export interface HopCount {
  place: Place;
  device: string;
  received: number;
  sent: number;
}

export interface PingResult {
  sent: number;
  received: number;
  /** Milliseconds; only when something came back. */
  rtt?: { min: number; avg: number; max: number };
  /** Of earlier tries: what was lost while the daemons looked for their paths. Only where something was. */
  lostBefore?: number;
}

/** One direction of a transfer. */
export interface Flow {
  bytes: number;
  seconds: number;
  megabytesPerSecond: number;
  /** The bytes arrived as they were sent. */
  intact: boolean;
}

/** What was found out, as far as it came. */
export interface Findings {
  /** Packets lost while tayga was not running: all of them, if the rehearsal is worth anything. */
  control?: PingResult;
  ping?: PingResult;
  /** From the overlay host to the IPv6 hosts of `nat64.maps`. */
  maps?: { ipv4: string; ipv6: string; ping: PingResult }[];
  transfer?: { toHost: Flow; toClient: Flow };
  hops?: HopCount[];
  /** tayga's device, on a gateway. */
  translator?: string;
}

/** One column of the picture: its text, and the device whose packets stand below. */
interface Column {
  text: string;
  hop?: HopCount;
  /** The link to the next column. */
  link: "-" | "=" | " ";
}

const WIDTH = 78;
const MARGIN = "  ";

function columnsOf(hops: HopCount[], translator: string | undefined): Column[] {
  const at = (place: Place) => hops.filter((h) => h.place === place);
  const [gateway, node, host] = [at("gateway"), at("node")[0], at("host")[0]];
  const hasClient = translator !== undefined;
  return [
    { text: hasClient ? "client" : "machine", link: hasClient ? "-" : " " },
    ...gateway.map((hop, i): Column => ({
      text: hop.device === translator ? `[ ${hop.device} ]` : hop.device,
      hop,
      link: i < gateway.length - 1 ? " " : node ? "=" : "-",
    })),
    ...(node ? [{ text: "node", hop: node, link: "-" as const }] : []),
    { text: "host", ...(host ? { hop: host } : {}), link: " " },
  ];
}

/**
 * The path from left to right, and below each device what it received and sent.
 * @param translator tayga's device, on a gateway
 */
export function picture(hops: HopCount[], translator: string | undefined): string[] {
  const columns = columnsOf(hops, translator);
  const text = columns.reduce((sum, c) => sum + c.text.length, 0);
  const links = columns.slice(0, -1).map((c) => c.link);
  const fixed = links.map((l) => drawn(l, 0).length).reduce((a, b) => a + b, 0);
  const lines = links.map((l) => l === "=" ? 2 : l === "-" ? 1 : 0).reduce<number>((a, b) => a + b, 0);
  // What is left of the line is shared by the links.
  const length = Math.max(1, Math.min(5, Math.floor((WIDTH - MARGIN.length - text - fixed) / lines)));
  const rows = { path: MARGIN, received: `${MARGIN}in`, sent: `${MARGIN}out` };
  columns.forEach((column, i) => {
    const start = rows.path.length;
    rows.path += column.text;
    if (column.hop) {
      const centre = start + Math.floor(column.text.length / 2);
      rows.received = below(rows.received, centre, column.hop.received);
      rows.sent = below(rows.sent, centre, column.hop.sent);
    }
    if (i < columns.length - 1) rows.path += drawn(column.link, length);
  });
  return [
    rows.path,
    rows.received,
    rows.sent,
    `${MARGIN}(packets in and out of each device, as its kernel counted them)`,
  ];
}

const OVER = "yggdrasil";

function drawn(link: Column["link"], length: number): string {
  if (link === " ") return " ";
  const line = link.repeat(length);
  return link === "=" ? ` ${line} ${OVER} ${line} ` : ` ${line} `;
}

/** A number centred at a column of the line above; never glued to the one before. */
function below(line: string, centre: number, value: number): string {
  const text = String(value);
  return line.padEnd(Math.max(centre - Math.floor(text.length / 2), line.length + 1)) + text;
}

/** What came out of it: one line each. */
export function results({ host, target, client }: Rehearsal, found: Findings): string[] {
  const rows: [string, string][] = client
    ? [["client", client.address], ["target", `${target} (overlay ${host})`]]
    : [["target", host]];
  if (found.control) rows.push(["without tayga", `${lost(found.control)} pings lost, as it must be`]);
  if (found.ping?.rtt) {
    const { sent, received, lostBefore, rtt: { min, avg, max } } = found.ping;
    rows.push([
      "ping",
      `${received} of ${sent} answered, ${avg.toFixed(2)} ms (${min.toFixed(2)} to ${max.toFixed(2)})`,
    ]);
    if (lostBefore) rows.push(["", `${lostBefore} lost before, while yggdrasil looked for its paths`]);
  }
  for (const { ipv4, ipv6 } of found.maps ?? []) rows.push(["map", `${host} reaches ${ipv6} as ${ipv4}`]);
  if (found.transfer) {
    rows.push(["TCP to host", rate(found.transfer.toHost)], ["TCP back", rate(found.transfer.toClient)]);
  }
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${MARGIN}${name.padEnd(width)}${value}`);
}

const lost = ({ sent, received }: { sent: number; received: number }) => `${sent - received} of ${sent}`;

/** `8 MiB, 62 MB/s, checksum right`. */
const rate = ({ bytes, megabytesPerSecond: speed }: { bytes: number; megabytesPerSecond: number }): string =>
  `${bytes / 1048576} MiB, ${speed.toFixed(speed < 10 ? 1 : 0)} MB/s, checksum right`;
