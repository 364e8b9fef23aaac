/** docs/performance.md and its pictures, from what the benchmarks have recorded: `deno task bench`. */

import { recorded, type Table } from "./record.ts";

const DOCS = new URL("../../docs/", import.meta.url).pathname;

/** In the order of the page; what was not measured keeps its place in the old page by not being written at all. */
const TABLES = [
  "wire",
  "held",
  "clients",
  "commands-bookworm",
  "commands-trixie",
  "growth",
  "growth-apart",
  "growth-wire",
  "many-clients",
];

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export function markdownOf({ title, rows, rounds }: Table): string {
  const columns = Object.keys(rows[0]?.values ?? {});
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    `## ${title}`,
    "",
    ...(rounds ? [`Medians of ${rounds} rounds.`, ""] : []),
    line(["", ...columns]),
    line(["---", ...columns.map(() => "---:")]),
    ...rows.map((r) => line([r.name, ...columns.map((c) => r.values[c] === undefined ? "" : number(r.values[c]!))])),
    "",
  ].join("\n");
}

const escaped = (text: string) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]!);

/** Bars of one column, as SVG without colours of its own: it is read on light and on dark. */
export function pictureOf({ title, rows }: Table, column: string): string {
  const [left, width, height] = [190, 380, 24];
  const most = Math.max(...rows.map((r) => r.values[column] ?? 0));
  const bars = rows.map((r, i) => {
    const value = r.values[column] ?? 0;
    const y = 34 + i * height;
    const long = Math.max(1, width * value / most);
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(r.name)}</text>` +
      `<rect x="${left}" y="${y}" width="${long.toFixed(0)}" height="17" fill="#4a7ebb"/>` +
      `<text x="${left + long + 6}" y="${y + 13}">${number(value)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 80}" height="${40 + rows.length * height}" ` +
    `font-family="sans-serif" font-size="12" fill="#888">\n` +
    `<text x="8" y="18" font-size="13">${escaped(`${title}: ${column}`)}</text>\n${bars.join("\n")}\n</svg>\n`;
}

/** The machine that it was measured on, without its name. */
async function machine(): Promise<string> {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "an unknown CPU";
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} cores of ${cpu}, ${memory} GiB, Linux ${Deno.osRelease()}`;
}

export async function report(): Promise<void> {
  const tables = (await Promise.all(TABLES.map(async (name) => ({ name, table: await recorded(name) }))))
    .filter((t): t is { name: string; table: Table } => t.table !== undefined);
  if (tables.length === 0) return;
  const words = await Deno.readTextFile(new URL("report.md", import.meta.url));
  const parts: string[] = [];
  for (const { name, table } of tables) {
    const [column] = Object.keys(table.rows[0]?.values ?? {});
    parts.push(markdownOf(table));
    if (column === undefined || !["wire", "held"].includes(name)) continue;
    await Deno.writeTextFile(`${DOCS}performance-${name}.svg`, pictureOf(table, column));
    parts.push(`![${table.title}](performance-${name}.svg)\n`);
  }
  const day = new Date().toISOString().slice(0, 10);
  const page = words.replace("{{machine}}", await machine()).replace(
    "{{day}}",
    day,
  ).replace(
    "{{tables}}\n",
    parts.join("\n"),
  );
  await Deno.writeTextFile(`${DOCS}performance.md`, page);
  console.log("docs/performance.md is written anew");
}

if (import.meta.main) await report();
