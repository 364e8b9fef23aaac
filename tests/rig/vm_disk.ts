import type { Lab } from "./lab.ts";
import { furnish, type Furnishing } from "./machine_files.ts";
import { cached } from "./paths.ts";
import { must } from "./process.ts";
import { productFiles } from "./product.ts";

// Disks of virtual machines: raw ext4 images in the run's own directory, gone with it.

/** Size of a machine's disk. The file has holes: it takes what the machine has written. */
const SIZE = "3G";

/** What a furnished machine mounts: its root, and the files of the product where containers see them. */
const FSTAB = ["/dev/vda / ext4 defaults 0 1", "/dev/vdb /opt/crxn ext4 ro 0 0"];

/** Makes the disk of a machine out of an image, which stays as it is, and the machine's own files. */
export async function rootDisk(directory: string, image: string, furnishing: Furnishing): Promise<string> {
  for (const layer of ["upper", "work", "root"]) await Deno.mkdir(`${directory}/${layer}`, { recursive: true });
  const [root, disk] = [`${directory}/root`, `${directory}/root.raw`];
  const layers = `lowerdir=${image},upperdir=${directory}/upper,workdir=${directory}/work`;
  await must(["mount", "-t", "overlay", "-o", layers, "crxn-rig", root]);
  try {
    await furnish(root, { ...furnishing, fstab: FSTAB });
    await Deno.mkdir(`${root}/opt/crxn`, { recursive: true });
    // Else systemd rebuilds its hardware database and more at the first boot (systemd-update-done.service(8)).
    for (const directory of ["etc", "var"]) await Deno.writeTextFile(`${root}/${directory}/.updated`, "");
    await must(["mkfs.ext4", "-q", "-F", "-d", root, disk, SIZE]);
  } finally {
    await must(["umount", root]);
  }
  return disk;
}

/** The read-only disk with the product, one for all machines of a lab: 100 MB are too much for a serial line. */
export async function productDisk(lab: Lab): Promise<string> {
  return await cached(`${lab.directory}/disk/product.raw`, async (disk) => {
    const directory = `${disk}.d`;
    await Deno.mkdir(directory);
    await must(["cp", "-L", ...await productFiles(), directory]);
    await must(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-d", directory, disk, "400M"]);
    await Deno.remove(directory, { recursive: true });
  });
}
