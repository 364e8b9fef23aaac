/** Keeps what was measured, for the report in docs/performance.md. */

export interface Row {
  name: string;
  /** By column. */
  values: Record<string, number>;
}

export interface Table {
  title: string;
  /** How often each had its turn. */
  rounds?: number;
  rows: Row[];
}

/** How often each of what is compared has its turn. */
export const PAIRS = Number(Deno.env.get("CRXN_PAIRS") ?? 9);

const FOLDER = new URL("../../dist/bench/", import.meta.url).pathname;

export async function record(name: string, table: Table): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(`${FOLDER}${name}.json`, JSON.stringify({ rounds: PAIRS, ...table }, null, 2) + "\n");
}

export async function recorded(name: string): Promise<Table | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${FOLDER}${name}.json`));
  } catch {
    return undefined;
  }
}
