import { cached, cacheDirectory, sha256 } from "./paths.ts";
import { must, run } from "./process.ts";

// The yggdrasil daemons that no Debian has. They are built from Go modules, once for each host.

/** A program, and where its source is. */
interface Recipe {
  /** The command's package and version, as `go install` wants them. */
  module: string;
  /** Set for yggdrasilckr: our own ckrd speaks this generation of the config too, where the real one is refused. */
  schema?: Schema;
}

/** The generations of yggdrasilckr's config, as ckrd names them. */
type Schema = "v1" | "v2" | "v3";

const YGGDRASIL = "github.com/yggdrasil-network/yggdrasil-go/cmd";
const YGGDRASILCKR = "github.com/neilalexander/yggdrasilckr/cmd/yggdrasilckr";

const RECIPES = {
  /** The last release with tunnel routing of its own. */
  "yggdrasil-0.3.16": { module: `${YGGDRASIL}/yggdrasil@v0.3.16` },
  "yggdrasilctl-0.3.16": { module: `${YGGDRASIL}/yggdrasilctl@v0.3.16` },
  /** `{Enable, IPv4RemoteSubnets: {cidr: key}}` */
  "yggdrasilckr-0.5.5": { module: `${YGGDRASILCKR}@v0.5.5`, schema: "v1" },
  /** `{Enable, InstallRoutes, YggdrasilRouting, RemoteSubnets: {key: [cidr]}}` */
  "yggdrasilckr-0.5.12": { module: `${YGGDRASILCKR}@v0.5.12`, schema: "v2" },
  /** The same without Enable, and with Addresses. */
  "yggdrasilckr-newest": { module: `${YGGDRASILCKR}@main`, schema: "v3" },
} as const satisfies Record<string, Recipe>;

/** What a config with all keys of all generations keeps of its TunnelRouting, so what tells them apart. */
const KEYS: Readonly<Record<Schema, string>> = {
  v1: "Enable IPv4RemoteSubnets IPv6RemoteSubnets",
  v2: "Enable InstallRoutes RemoteSubnets YggdrasilRouting",
  v3: "Addresses InstallRoutes RemoteSubnets YggdrasilRouting",
};

/** What {@linkcode daemon} can give. */
export type DaemonName = keyof typeof RECIPES;

interface Built {
  path: string;
  /** Why this is ckrd and not the program of that name. */
  standIn?: string;
}

/** Where Go may be; a test's PATH is often shorter than a login's. */
const GO = ["/usr/local/go/bin/go", "/usr/bin/go", "/usr/lib/go/bin/go"];
const CKRD = new URL("ckrd/", import.meta.url).pathname;

const made = new Map<DaemonName, Promise<Built>>();

/**
 * The path on the host of a statically linked daemon, which runs on every Debian; the first call on a host builds it
 * (a minute or two). Where yggdrasilckr cannot be had it is our own ckrd, and stderr says so.
 * @throws {Error} saying what is missing or who refuses
 */
export async function daemon(name: DaemonName): Promise<string> {
  return (await built(name)).path;
}

/** Why {@linkcode daemon} gives our own ckrd for this name; undefined when it gives the real program. */
export async function daemonStandIn(name: DaemonName): Promise<string | undefined> {
  return (await built(name)).standIn;
}

/** Why a daemon cannot be had on this host, and what to do about it; undefined when it can. Builds it if need be. */
export async function daemonObstacle(name: DaemonName): Promise<string | undefined> {
  return await built(name).then(() => undefined, (error: Error) => `no ${name}: ${error.message}`);
}

/** What to do where there is no Go, or one that is too old. */
export const GO_REMEDY = "install Go 1.22 or newer (the package golang-go; on Debian 12 that of bookworm-backports)";

/** Why nothing can be built on this host; undefined when Go is here. Starts no download. */
export function goObstacle(): string | undefined {
  if (goProgram() === undefined) return "there is no Go to build the daemons with";
}

function built(name: DaemonName): Promise<Built> {
  const known = made.get(name) ?? build(name, RECIPES[name]);
  made.set(name, known);
  return known;
}

async function build(name: DaemonName, recipe: Recipe): Promise<Built> {
  const target = `${directory()}/${name}`;
  try {
    return { path: await cached(target, (file) => install(recipe, file)) };
  } catch (error) {
    if (recipe.schema === undefined || goProgram() === undefined) throw error;
    const standIn = (error as Error).message;
    const path = await ckrd(recipe.schema);
    console.error(`\nNOT THE REAL ${name}: ${standIn}\n  Its place takes our own ckrd (${recipe.schema}), ${path}\n`);
    return { path, standIn };
  }
}

/** `go install` of a command into a file. */
async function install({ module, schema }: Recipe, file: string): Promise<void> {
  const bin = `${file}.bin`;
  try {
    const program = `${bin}/${module.replace(/@.*/, "").replace(/.*\//, "")}`;
    await go(["install", module], { GOBIN: bin });
    const keys = schema && await keysKept(program);
    if (schema && keys !== KEYS[schema]) throw new Error(`${module} is of another generation, it knows ${keys}`);
    await Deno.rename(program, file);
  } finally {
    await Deno.remove(bin, { recursive: true }).catch(() => {});
  }
}

/** The keys that a yggdrasilckr prints when it normalises a config; those of other generations it drops. */
async function keysKept(program: string): Promise<string> {
  const text = await must([program, "-useconf", "-normaliseconf", "-json"], { input: "{}" });
  return Object.keys(JSON.parse(text).TunnelRouting).sort().join(" ");
}

/** The path of our own daemon, built of the sources as they are now. */
async function ckrd(schema: Schema): Promise<string> {
  const names = Array.from(Deno.readDirSync(CKRD), (entry) => entry.name).sort();
  const parts = await Promise.all(names.map(async (name) => `${name}\n${await Deno.readTextFile(CKRD + name)}`));
  const target = `${directory()}/ckrd-${schema}-${(await sha256(parts.join("\0"))).slice(0, 12)}`;
  const flags = ["-mod=readonly", "-trimpath", "-ldflags", `-s -w -X main.schema=${schema}`];
  return await cached(target, (file) => go(["build", ...flags, "-o", file, "."], {}, CKRD));
}

function directory(): string {
  return `${cacheDirectory()}/daemons`;
}

/** Runs Go with caches of its own, so that the user's stay as they are; a proxy that the user has set counts. */
export async function go(args: readonly string[], env: Record<string, string>, cwd?: string): Promise<void> {
  const program = goProgram();
  if (program === undefined) throw new Error(`${goObstacle()}; ${GO_REMEDY}`);
  const own = {
    GOPATH: `${directory()}/go`,
    GOCACHE: `${directory()}/go-build`,
    GOFLAGS: "-mod=mod -modcacherw -buildvcs=false",
    CGO_ENABLED: "0",
  };
  const { code, stderr } = await run([program, ...args], { env: { ...own, ...env }, cwd, timeoutSeconds: 900 });
  if (code === 0) return;
  const said = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("go: downloading"));
  const why = said.join("\n") || "it was ended after 15 minutes";
  throw new Error(
    `\`go ${args.join(" ")}\` ended with ${code}: ${why}${/requires go|go\.mod/.test(why) ? `; ${GO_REMEDY}` : ""}`,
  );
}

function goProgram(): string | undefined {
  return GO.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
