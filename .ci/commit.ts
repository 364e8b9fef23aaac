/** Which commit the sources are, for `crxn --version`, and when it was made, for everything that carries a date. */

interface Commit {
  /** What `crxn --version` says in brackets: "0123456789", "0123456789, changed", "no commit". */
  origin: string;
  /** Seconds since 1970: SOURCE_DATE_EPOCH, or when the commit was made; 0 for what is in no commit. */
  time: number;
}

/**
 * Asks git. Sources without its history (an archive, a copy), or in a folder of another one, are of no commit.
 * @param root of the sources, with "/" at the end
 */
export async function commitOf(root: string): Promise<Commit> {
  // Called by a hook of git's, these would lead it elsewhere (githooks(5)).
  const env = Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("GIT_")));
  const git = async (...args: string[]): Promise<string | undefined> => {
    try {
      const command = new Deno.Command("git", { args: ["-C", root, ...args], clearEnv: true, env });
      const { success, stdout } = await command.output();
      return success ? new TextDecoder().decode(stdout).trim() : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  if (given !== undefined && !/^\d+$/.test(given)) {
    throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${given}`);
  }
  const [prefix, hash] = await Promise.all([git("rev-parse", "--show-prefix"), git("rev-parse", "--verify", "HEAD")]);
  if (prefix !== "" || !/^[0-9a-f]{40,64}$/.test(hash ?? "")) return { origin: "no commit", time: Number(given ?? 0) };
  // Ten digits, however many git takes for unique today: the same commit has to give the same bytes tomorrow.
  const short = hash!.slice(0, 10);
  const changes = await git("status", "--porcelain");
  const time = Number(given ?? await git("log", "-1", "--format=%ct"));
  return { origin: changes === "" ? short : `${short}, changed`, time };
}
