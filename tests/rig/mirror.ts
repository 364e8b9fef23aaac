// A Debian mirror for machines that have no way to the Internet: it runs in the host's own network and listens on a
// Unix socket, which mirror_relay.ts reaches from inside a network namespace. Started by Mirror in lab.ts:
//   deno run -A mirror.ts SOCKET CACHE UPSTREAM

/** Serves `/debian/...` and `/debian-security/...` from `upstream`; what can never change is kept below `cache`. */
export class Mirror {
  #arriving = new Map<string, Promise<string>>();

  constructor(readonly cache: string, readonly upstream: string) {}

  /** Answers one request of apt. */
  async respond(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!/^\/debian(-security)?\/[\w./+~:%-]+$/.test(pathname) || pathname.includes("..")) {
      return new Response("not a Debian path\n", { status: 404 });
    }
    try {
      return isImmutable(pathname) ? await this.#kept(pathname) : await this.#fresh(pathname, request);
    } catch (error) {
      const status = error instanceof UpstreamError ? error.status : 502;
      return new Response(`${pathname}: ${error instanceof Error ? error.message : error}\n`, { status });
    }
  }

  /** Release files and the like: asked for every time, with apt's own conditions. */
  async #fresh(path: string, request: Request): Promise<Response> {
    const since = request.headers.get("if-modified-since");
    const reply = await fetch(this.upstream + path, { headers: since ? { "if-modified-since": since } : {} });
    const headers = new Headers();
    for (const name of ["last-modified", "content-type"]) {
      const value = reply.headers.get(name);
      if (value) headers.set(name, value);
    }
    return new Response(reply.body, { status: reply.status, headers });
  }

  /** Packages and indexes by hash: fetched once, for all runs. */
  async #kept(path: string): Promise<Response> {
    const file = this.cache + path;
    if (!(await isFile(file))) {
      // Two machines that install the same package at the same time share one download.
      const arriving = this.#arriving.get(path) ?? this.#download(path, file);
      this.#arriving.set(path, arriving);
      await arriving.finally(() => this.#arriving.delete(path));
    }
    const opened = await Deno.open(file);
    const { size } = await opened.stat();
    return new Response(opened.readable, { headers: { "content-length": String(size) } });
  }

  async #download(path: string, file: string): Promise<string> {
    const reply = await fetch(this.upstream + path);
    if (!reply.ok || reply.body === null) {
      await reply.body?.cancel();
      throw new UpstreamError(reply.status, `upstream says ${reply.status}`);
    }
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    const temporary = `${file}.${crypto.randomUUID()}`;
    try {
      await Deno.writeFile(temporary, reply.body);
      const [got, said] = [(await Deno.stat(temporary)).size, reply.headers.get("content-length")];
      if (said !== null && Number(said) !== got) throw new Error(`got ${got} bytes of ${said}`);
      await Deno.rename(temporary, file);
      return file;
    } finally {
      await Deno.remove(temporary).catch(() => {});
    }
  }
}

class UpstreamError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** A path whose content never changes: a package version, or an index that is named by its hash. */
function isImmutable(path: string): boolean {
  return path.endsWith(".deb") || path.includes("/by-hash/");
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isFile, () => false);
}

if (import.meta.main) {
  const [path, cache, upstream] = Deno.args as [string, string, string];
  const mirror = new Mirror(cache, upstream);
  Deno.serve({ path, onListen: () => {} }, (request) => mirror.respond(request));
}
