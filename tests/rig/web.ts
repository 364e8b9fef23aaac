// A web server inside a lab, for what machines download:
//   deno run -A web.ts ADDRESS PORT FOLDER
// Serves the files of a folder; /moved/NAME redirects to /NAME; /cut/NAME ends in the midst of a file of more than 64 KiB.

import type { Net } from "./network.ts";
import { SEGMENTS } from "./network.ts";
import { until } from "./process.ts";

const PORT = 8080;

/** What can be downloaded in a lab. */
export class Web {
  private constructor(readonly address: string, private readonly folder: string) {}

  /** Starts the server on the router of a lab. It ends with the lab. */
  static async start(net: Net): Promise<Web> {
    const [hostname, folder] = [`${SEGMENTS.static.ipv4}1`, `${net.lab.directory}/disk/web`];
    await Deno.mkdir(folder);
    const self = new URL(import.meta.url).pathname;
    const argv = [Deno.execPath(), "run", "-A", "--no-lock", self, hostname, String(PORT), folder];
    net.lab.spawn("web", argv, net.namespace);
    await until("the web server", 20, async () => {
      return (await net.run(["ss", "-Hltn", `sport = :${PORT}`])).stdout !== "" || undefined;
    });
    return new Web(`http://${hostname}:${PORT}`, folder);
  }

  /** Puts a file there; its name may have a folder in front. @returns its address */
  async offer(name: string, bytes: Uint8Array): Promise<string> {
    await Deno.mkdir(`${this.folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${this.folder}/${name}`, bytes);
    return `${this.address}/${name}`;
  }
}

const SMALL = 65_536;

/** An answer whose connection breaks. */
function halfOf(bytes: Uint8Array<ArrayBuffer>): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, bytes.length / 2));
      await new Promise((resolve) => setTimeout(resolve, 200));
      controller.error(new Error("cut"));
    },
  });
  return new Response(body, { headers: { "content-length": String(bytes.length) } });
}

async function respond(request: Request, folder: string): Promise<Response> {
  const { pathname } = new URL(request.url);
  const moved = /^\/moved\/([\w.-]+)$/.exec(pathname)?.[1];
  if (moved) return new Response(null, { status: 302, headers: { location: `/${moved}` } });
  const [, cut, name] = /^\/(cut\/)?((?:[\w-]+\/)?[\w.-]+)$/.exec(pathname) ?? [];
  const bytes = name === undefined ? undefined : await Deno.readFile(`${folder}/${name}`).catch(() => undefined);
  if (cut && bytes && bytes.length > SMALL) return halfOf(bytes);
  return bytes ? new Response(bytes as Uint8Array<ArrayBuffer>) : new Response("nothing here\n", { status: 404 });
}

if (import.meta.main) {
  const [hostname, port, folder] = Deno.args as [string, string, string];
  Deno.serve({ hostname, port: Number(port), onListen: () => {} }, (request) => respond(request, folder));
}
