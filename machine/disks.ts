/** df(1) and mountinfo of proc(5): room on the file systems that a gateway writes to. */

import type { DiskSeen } from "../gateway/host.ts";
import { HOST, PROC } from "./always.ts";
import type { Runner } from "./run.ts";

/** `df -B1 --output=target,fstype,size,avail,itotal,iavail,file`: the file last, for it may hold spaces. */
export function parseDisks(output: string, mounts: Record<string, boolean>): DiskSeen[] {
  return output.split("\n").slice(1).flatMap((line): DiskSeen[] => {
    const found = /^(\S+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+|-)\s+(\d+|-)\s+(\/.*)$/.exec(line);
    if (!found) return [];
    const [, mount, type, size, free, inodes, freeInodes, folder] = found as unknown as string[];
    return [{
      folder: folder!,
      mount: mount!,
      type: type!,
      size: Number(size),
      free: Number(free),
      inodes: Number(inodes) || 0,
      freeInodes: Number(freeInodes) || 0,
      readOnly: mounts[mount!] === true,
    }];
  });
}

/** proc(5), mountinfo: mount point -> whether it is read-only, be it the mount or the file system. Later mounts cover earlier ones. */
export function parseMounts(text: string): Record<string, boolean> {
  const mounts: Record<string, boolean> = {};
  for (const line of text.split("\n")) {
    const words = line.split(" ");
    const dash = words.indexOf("-");
    if (dash < 0) continue;
    const options = [...words[5]!.split(","), ...(words[dash + 3] ?? "").split(",")];
    mounts[words[4]!.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))] = options.includes(
      "ro",
    );
  }
  return mounts;
}

/** @param proc texts of {@linkcode PROC} */
export async function readDisks(runner: Runner, proc: Promise<Record<string, string>>): Promise<DiskSeen[]> {
  // It ends with 1 for a folder that is not there, which belongs to its parent as yet, and tells of the others.
  const { stdout } = await runner.run(HOST.disks);
  const mounts = (await proc)[PROC.mounts];
  if (mounts === undefined) throw new Error("the kernel's list of mounts cannot be read");
  const disks = parseDisks(stdout, parseMounts(mounts));
  if (disks.length === 0) throw new Error("df shows no file systems");
  return disks;
}
