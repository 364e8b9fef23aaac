import { cached, cacheDirectory, sha256 } from "./paths.ts";
import { must } from "./process.ts";

/** The Debians that machines are made of: 12 and 13. */
export type Debian = "bookworm" | "trixie";

/**
 * `bare`: a minimal Debian with systemd, nothing else. `ready`: the same with the packages of a gateway in it.
 * `vm`: the same as `ready`, with the kernel of Debian's cloud images and a guest agent.
 */
export type Kind = "bare" | "ready" | "vm";

const BARE = "systemd,systemd-sysv,dbus,udev,iproute2,iputils-ping,procps,ca-certificates,apt";
const READY = "tayga,yggdrasil,iptables,nftables,tcpdump";
const VM = "linux-image-cloud-amd64,initramfs-tools,kmod,e2fsprogs,qemu-guest-agent";

/** Where Debian is fetched from; another mirror can be named. */
export const UPSTREAM = Deno.env.get("CRXN_RIG_MIRROR") ?? "http://deb.debian.org";

/** The lines of /etc/apt/sources.list for a Debian, below a mirror's address. */
export function aptSources(debian: Debian, mirror: string): string[] {
  return [
    `deb ${mirror}/debian ${debian} main`,
    `deb ${mirror}/debian ${debian}-updates main`,
    `deb ${mirror}/debian-security ${debian}-security main`,
  ];
}

/** mmdebstrap's options; they are also the key of the cache. */
function recipe(debian: Debian, kind: Kind): string[] {
  // Neither tayga's sample service (trixie) nor its SysV script (bookworm) may run on a machine that is only prepared.
  const quiet = '--customize-hook=chroot "$1" systemctl disable tayga.service nftables.service yggdrasil.service';
  return [
    "--variant=minbase",
    // mmdebstrap leaves the host's name and name servers behind.
    '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
    ...(kind === "bare" ? [`--include=${BARE}`] : [`--include=${BARE},${READY}`, quiet]),
    ...(kind === "vm" ? [`--include=${VM}`] : []),
    "--format=directory",
    debian,
    "DIRECTORY",
    ...aptSources(debian, UPSTREAM),
  ];
}

/**
 * The root directory of an image, made with mmdebstrap when it is not in the cache (half a minute).
 * It is the lower layer of machines: never write to it.
 */
export async function image(debian: Debian, kind: Kind): Promise<string> {
  const options = recipe(debian, kind);
  const key = (await sha256(options.join("\n"))).slice(0, 12);
  return await cached(`${cacheDirectory()}/images/${debian}-${kind}-${key}`, async (directory) => {
    console.error(`making the image ${debian} ${kind}: ${kind === "vm" ? "two minutes" : "half a minute"}, once`);
    // In a mount namespace of its own, so that its /proc, /sys and /dev cannot outlive it.
    const own = ["unshare", "--mount", "--propagation", "private", "--"];
    const argv = [...own, "mmdebstrap", ...options.map((word) => word === "DIRECTORY" ? directory : word)];
    await must(argv, { timeoutSeconds: 900 });
  });
}
