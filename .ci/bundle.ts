/** One file of JavaScript out of all sources and packages: it starts faster than the many, and is smaller. */

/**
 * @param entry main module
 * @param output where the bundle goes
 * @throws Error with what `deno bundle` said
 */
export async function bundle(entry: string, output: string, { minify = false } = {}): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=deno", ...(minify ? ["--minify"] : []), "-o", output, entry],
    cwd: new URL("..", import.meta.url).pathname,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`deno bundle: ${new TextDecoder().decode(stderr)}`);
  // A package in CommonJS asks for `node:process` and the like with require(), which a module does not have by itself.
  const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);\n';
  await Deno.writeTextFile(output, banner + await Deno.readTextFile(output));
}
