/** Can this machine start the program? ELF header: elf(5). Pure. */

/** e_machine, and what it is called here. */
const MACHINES: Record<number, string> = {
  3: "i386",
  8: "mips",
  20: "powerpc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
  258: "loongarch64",
};

const EXECUTABLE = [2, 3];

/** Whether these are the first bytes of an archive of ar(1), which a .deb is (deb(5)). */
export const isArchive = (bytes: Uint8Array): boolean => startsWith(bytes, "!<arch>\n");

/**
 * @param bytes the program, or its first 20 bytes
 * @param arch of this machine, as Deno calls it: x86_64 or aarch64
 * @returns what is wrong with it as an executable, to go on after its name; undefined when it is one
 */
export function elfFault(bytes: Uint8Array, arch: string): string | undefined {
  if (!startsWith(bytes, "\x7fELF") || bytes.length < 20) return "is no ELF executable";
  const [bits, order] = [bytes[4], bytes[5]];
  const littleEndian = order === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, littleEndian);
  const name = MACHINES[machine] ?? `machine ${machine}`;
  if (name !== arch || bits !== 2 || !littleEndian) {
    return `is made for ${name}${bits === 1 ? ", 32 bits" : ""}, and this machine is ${arch}`;
  }
  return EXECUTABLE.includes(view.getUint16(16, true)) ? undefined : "is an ELF file, but no executable";
}

/** The same for a program of the operator's own, which may be a script. */
export const programFault = (bytes: Uint8Array, arch: string): string | undefined =>
  startsWith(bytes, "#!") ? undefined : elfFault(bytes, arch);

const startsWith = (bytes: Uint8Array, text: string) => [...text].every((c, i) => bytes[i] === c.charCodeAt(0));
