import { binaryName } from "../../.ci/names.ts";
import { installer } from "../../.ci/release.ts";
import type { Web } from "./web.ts";

/** A release on a web server of the lab, as install.sh finds it: the binary, its sum, and the script itself. @returns its address */
export async function offerRelease(web: Web, binary: string): Promise<string> {
  const program = await Deno.readFile(binary);
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", program));
  const hex = Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
  const name = binaryName(Deno.build.arch);
  const bytes = (text: string) => new TextEncoder().encode(text);
  await web.offer(name, program);
  await web.offer("SHA256SUMS", bytes(`${hex}  ${name}\n`));
  await web.offer("install.sh", bytes(installer(web.address)));
  return web.address;
}
