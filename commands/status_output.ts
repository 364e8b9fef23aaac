/** `crxn status` on one screen of 80 columns. Pure but for the colours. */

import { confirmLine } from "../gateway/confirm.ts";
import { wrap } from "../gateway/wrap.ts";
import { localTime } from "./logs_output.ts";
import type { Status } from "./status_data.ts";
import type { Paint } from "./ui.ts";

const WIDTH = 80;

/** @param now milliseconds since the epoch */
export function statusLines(status: Status, paint: Paint, now: number): string[] {
  const colour = { up: paint.green, degraded: paint.yellow, down: paint.red }[status.state];
  return [
    `${status.gateway.role === "gateway" ? "NAT64 gateway" : "overlay node"}: ${colour(status.state)}`,
    "",
    ...picture(status),
    "",
    ...table([["hop", "device", "state", "received", "sent"], ...status.hops.map(hopRow)], paint),
    "",
    ...table([["service", "state", "since"], ...status.services.map((s) => serviceRow(s, now))], paint),
    "",
    ...facts(status, paint),
    ...faults(status, paint),
    ...lastFault(status),
    ...(status.confirm ? ["", ...wrap(confirmLine(status.confirm), WIDTH)] : []),
  ];
}

/** The path as a line; where it is too long, the devices in a column. */
function picture({ gateway, hops }: Status): string[] {
  const device = (name: string) => hops.find((h) => h.name === name)?.device ?? "";
  const networks = gateway.networks.length > 1
    ? `${gateway.networks[0]} (+${gateway.networks.length - 1})`
    : gateway.networks[0] ?? "overlay";
  const parts = gateway.role === "gateway"
    ? ["IPv6 Internet", `[ ${device("uplink")} ]`, device("translator"), `[ ${device("overlay")} ]`, networks]
    : ["this node", `[ ${device("overlay")} ]`, networks];
  const line = parts.map((p, i) => p + (i < parts.length - 1 ? p.startsWith("[") ? "-- " : " --" : "")).join("");
  return line.length + 2 <= WIDTH ? [`  ${line}`] : parts.map((p) => `  ${p}`);
}

const hopRow = (
  { name, device, state, rx, tx }: Status["hops"][number],
): string[] => [name, device, state, traffic(rx), traffic(tx)];

const traffic = ({ packets, bytes }: { packets: number; bytes: number }) => `${number(packets)} (${size(bytes)})`;

const number = (n: number) => n.toLocaleString("en-US");

/** Bytes with a decimal prefix: 1234567 is "1.2 MB". */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

/** Seconds as the two largest units that matter: 93784 is "1 d 2 h". */
export function duration(seconds: number): string {
  const parts: [number, string][] = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [
    Math.floor(seconds / 60) % 60,
    "min",
  ], [Math.floor(seconds) % 60, "s"]];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

function serviceRow({ unit, state, enabled, since, restarts }: Status["services"][number], now: number): string[] {
  const notes = [
    ...(since > 0 ? [duration(Math.max(0, (now - since) / 1000))] : []),
    ...(restarts > 0 ? [`${restarts} restart${restarts === 1 ? "" : "s"}`] : []),
    ...(enabled || state === "missing" ? [] : ["not started at boot"]),
  ];
  return [unit, state, notes.join(", ")];
}

function facts({ peers, pool, self, tunnel, gateway, nodes = [] }: Status, paint: Paint): string[] {
  const rows: [string, string][] = [];
  if (gateway.prefix) rows.push(["prefix", gateway.prefix]);
  const own = [self.overlay, ...self.moreAddresses ?? []].join(", ");
  rows.push(["address", self.address ? `${own}, as a yggdrasil node ${self.address}` : own]);
  if (self.publicKey) rows.push(["own key", self.publicKey]);
  if (tunnel) rows.push(["tunnel", `${tunnel.kind} (${tunnel.why})`]);
  nodes.forEach((n, i) => rows.push([i === 0 ? "far node" : "", `${n.address} for ${n.networks.join(", ")}`]));
  if (pool) {
    rows.push([
      "pool",
      `${pool.used === null ? "?" : number(pool.used)} of ${number(pool.size)} addresses of ${pool.network} in use`,
    ]);
  }
  peers.forEach((p, i) => rows.push([i === 0 ? "peers" : "", peerText(p)]));
  if (peers.length === 0 && gateway.overlay === "yggdrasil") rows.push(["peers", "none known"]);
  return rows.flatMap(([name, text]) =>
    wrap(text, WIDTH - 11).map((l, i) => `  ${paint.dim((i === 0 ? name : "").padEnd(8))} ${l}`)
  );
}

function peerText({ uri, up, inbound, latency, error }: Status["peers"][number]): string {
  const delay = up && latency !== undefined ? `, ${latency.toFixed(latency < 10 ? 1 : 0)} ms` : "";
  return `${up ? "up  " : "down"} ${uri}${inbound ? " (inbound)" : ""}${delay}${!up && error ? `: ${error}` : ""}`;
}

function faults({ state, faults }: Status, paint: Paint): string[] {
  if (state === "down") return ["", "Nothing of it is here: `crxn up` makes it."];
  if (faults.length === 0) return [];
  const lines = faults.flatMap((f) =>
    wrap(`${f.id}: ${f.found}`, WIDTH - 4).map((l, i) => (i === 0 ? "  " : "    ") + l)
  );
  return ["", paint.red("What is wrong (`crxn doctor` says more):"), ...lines];
}

function lastFault({ lastFault }: Status): string[] {
  if (!lastFault) return [];
  const { at, id, found, mended } = lastFault;
  const text = `${mended ? "Mended by itself" : "NOT MENDED by its timer"}, ${localTime(at)}: ${id}: ${found}`;
  return ["", ...wrap(text, WIDTH - 2).map((l, i) => (i === 0 ? "" : "  ") + l)];
}

/** Columns as wide as their widest cell; the first row is the head. */
function table(rows: string[][], paint: Paint): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)));
  return rows.map((row, at) => {
    const line = `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd();
    return at === 0 ? paint.dim(line) : line;
  });
}
