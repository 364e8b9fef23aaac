import { cached, cacheDirectory } from "./paths.ts";
import { run } from "./process.ts";

// The yggdrasil daemons that no Debian has. They are built from Go modules, once for each host.

/** A daemon, or the program that talks to its socket, and where its source is. */
interface Recipe {
  /** The command's package and version, as `go install` wants them. */
  module: string;
}

const YGGDRASIL = "github.com/yggdrasil-network/yggdrasil-go/cmd";

const RECIPES = {
  /** The last release with tunnel routing of its own. */
  "yggdrasil-0.3.16": { module: `${YGGDRASIL}/yggdrasil@v0.3.16` },
  "yggdrasilctl-0.3.16": { module: `${YGGDRASIL}/yggdrasilctl@v0.3.16` },
} as const satisfies Record<string, Recipe>;

/** What {@linkcode daemon} can give. */
export type DaemonName = keyof typeof RECIPES;

/** Where Go may be; a test's PATH is often shorter than a login's. */
const GO = ["/usr/local/go/bin/go", "/usr/bin/go", "/usr/lib/go/bin/go"];

const made = new Map<DaemonName, Promise<string>>();

/**
 * The path on the host of a statically linked daemon, which runs on every Debian; the first call on a host builds it
 * (half a minute).
 * @throws {Error} saying what is missing or who refuses
 */
export function daemon(name: DaemonName): Promise<string> {
  const known = made.get(name) ?? cached(`${directory()}/${name}`, (file) => install(RECIPES[name], file));
  made.set(name, known);
  return known;
}

/** Why a daemon cannot be had on this host, and what to do about it; undefined when it can. Builds it if need be. */
export async function daemonObstacle(name: DaemonName): Promise<string | undefined> {
  return await daemon(name).then(() => undefined, (error: Error) => `no ${name}: ${error.message}`);
}

/** Why nothing can be built on this host; undefined when Go is here. Starts no download. */
export function goObstacle(): string | undefined {
  if (goProgram() === undefined) return "there is no Go to build the daemons with; install the package golang-go";
}

function directory(): string {
  return `${cacheDirectory()}/daemons`;
}

/** `go install` of a command into a file. */
async function install({ module }: Recipe, file: string): Promise<void> {
  const bin = `${file}.bin`;
  try {
    const program = module.replace(/@.*/, "").replace(/.*\//, "");
    await go(["install", module], { GOBIN: bin });
    await Deno.rename(`${bin}/${program}`, file);
  } finally {
    await Deno.remove(bin, { recursive: true }).catch(() => {});
  }
}

/** Runs Go with caches of its own, so that the user's stay as they are; a proxy that the user has set counts. */
async function go(args: readonly string[], env: Record<string, string>): Promise<void> {
  const program = goProgram();
  if (program === undefined) throw new Error(goObstacle());
  const own = {
    GOPATH: `${directory()}/go`,
    GOCACHE: `${directory()}/go-build`,
    GOFLAGS: "-mod=mod -modcacherw -buildvcs=false",
    CGO_ENABLED: "0",
  };
  const { code, stderr } = await run([program, ...args], { env: { ...own, ...env }, timeoutSeconds: 900 });
  if (code === 0) return;
  const said = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("go: downloading"));
  throw new Error(`\`go ${args.join(" ")}\` ended with ${code}: ${said.join("\n") || "it was ended after 15 minutes"}`);
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
