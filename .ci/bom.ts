/** The software bill of materials of dist/crxn, out of deno.lock: CycloneDX 1.5, https://cyclonedx.org/docs/1.5/json/. */

interface Lock {
  npm: Record<string, { integrity: string }>;
}

/**
 * @param lock deno.lock; what is in it is what can get into the binary
 * @param deno version of the runtime that the binary carries
 * @throws Error for a package without integrity: it could be anything
 */
export function bom(lock: Lock, version: string, deno: string): Record<string, unknown> {
  const packages = Object.entries(lock.npm).map(([id, { integrity }]) => {
    // "@noble/curves@2.4.0", and with peers "a@1.0.0_b@2.0.0".
    const [, name, number] = /^(@?[^@]+)@([^_]+)/.exec(id) ?? [];
    const [, base64] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
    if (!name || !number || !base64) throw new Error(`deno.lock: ${id} has no sha512`);
    const content = Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    return {
      type: "library",
      name,
      version: number,
      purl: `pkg:npm/${name.replace("@", "%40")}@${number}`,
      hashes: [{ alg: "SHA-512", content }],
    };
  });
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { type: "application", name: "crxn", version } },
    components: [
      { type: "platform", name: "deno", version: deno, purl: `pkg:github/denoland/deno@v${deno}` },
      ...packages.sort((a, b) => a.purl < b.purl ? -1 : 1),
    ],
  };
}
