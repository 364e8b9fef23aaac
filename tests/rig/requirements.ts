import { cgroupRoot } from "./cgroup.ts";
import { must, run } from "./process.ts";

/** A file the host must have, and the Debian package that brings it. */
export interface Requirement {
  file: string;
  package: string;
}

/** What the rig needs on the host of the tests. */
export const REQUIREMENTS: readonly Requirement[] = [
  { file: "/usr/bin/mmdebstrap", package: "mmdebstrap" },
  { file: "/usr/bin/systemd-nspawn", package: "systemd-container" },
  { file: "/usr/sbin/radvd", package: "radvd" },
  { file: "/usr/bin/ip", package: "iproute2" },
  { file: "/usr/bin/ping", package: "iputils-ping" },
  { file: "/usr/bin/nsenter", package: "util-linux" },
  { file: "/usr/sbin/sysctl", package: "procps" },
  { file: "/usr/sbin/nft", package: "nftables" },
  { file: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
];

/** What virtual machines need on top of that. */
export const VM_REQUIREMENTS: readonly Requirement[] = [
  { file: "/usr/bin/qemu-system-x86_64", package: "qemu-system-x86" },
  { file: "/usr/sbin/mkfs.ext4", package: "e2fsprogs" },
];

/** MiB that two virtual machines take, with their disks. */
const VM_MEMORY = 3500;

/** Debian's way to keep a package's services from being started while it is installed (invoke-rc.d(8)). */
const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Installs what is missing of `wanted`, saying so on stderr first. Services that come along are not started.
 * @throws {Error} naming the packages when this is not root on a system with apt
 */
export async function ensureRequirements(wanted: readonly Requirement[] = REQUIREMENTS): Promise<void> {
  const missing = [...new Set(wanted.filter(({ file }) => !exists(file)).map((item) => item.package))];
  if (missing.length === 0) return;
  // Another test of the same run may be at it.
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  const install = ["apt-get", ...wait, "install", "-y", "--no-install-recommends", ...missing];
  if (Deno.uid() !== 0 || !exists("/usr/bin/apt-get")) {
    throw new Error(`The test rig needs these Debian packages on this host: ${missing.join(" ")}`);
  }
  console.error(`\nTHE TEST RIG INSTALLS ON THIS HOST: ${missing.join(" ")}\n  ${install.join(" ")}\n`);
  const ownPolicy = !exists(POLICY);
  if (ownPolicy) await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const options = { timeoutSeconds: 600, env: { DEBIAN_FRONTEND: "noninteractive" } };
    // A third-party source out of reach must not stop us when Debian's own are there: the install decides.
    await run(["apt-get", "update", "-q"], options);
    await must(install, options);
  } finally {
    if (ownPolicy) await Deno.remove(POLICY);
  }
}

/** Why machines cannot be booted on this host, or undefined when they can. Changes nothing. */
export async function canBoot(wanted: readonly Requirement[] = REQUIREMENTS): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "not Linux";
  if (Deno.uid() !== 0) return "not root";
  if (!exists("/dev/net/tun")) return "no /dev/net/tun";
  if (cgroupRoot() === undefined) return "no cgroup2 file system is mounted";
  if (!(await offersOverlay())) return "the kernel has no overlayfs";
  const unshared = await run(["unshare", "--net", "--mount", "true"]);
  if (unshared.code !== 0) return `no new namespaces: ${unshared.stderr.trim()}`;
  const missing = wanted.filter(({ file }) => !exists(file));
  if (missing.length > 0 && !exists("/usr/bin/apt-get")) {
    return `missing, and no apt to install them: ${missing.map((item) => item.package).join(" ")}`;
  }
}

/** Why virtual machines cannot be booted on this host, or undefined when they can. Changes nothing. */
export async function canVirtualize(): Promise<string | undefined> {
  if (Deno.build.arch !== "x86_64") return "not an x86_64 processor";
  const available = Deno.systemMemoryInfo().available / 2 ** 20;
  if (available < VM_MEMORY) return `only ${available.toFixed(0)} MiB of memory of ${VM_MEMORY} are available`;
  return await canBoot([...REQUIREMENTS, ...VM_REQUIREMENTS]);
}

async function offersOverlay(): Promise<boolean> {
  const listed = async () => /\toverlay$/m.test(await Deno.readTextFile("/proc/filesystems"));
  if (await listed()) return true;
  await run(["sh", "-c", "modprobe overlay"]);
  return await listed();
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
