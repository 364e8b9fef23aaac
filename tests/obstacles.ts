/** Why a suite cannot run on this host, and what to do about it. */

import { GO_REMEDY, goObstacle } from "./rig/mod.ts";

export interface Obstacle {
  reason: string;
  remedy: string;
}

export async function hindrance(asked: () => Promise<string | undefined>): Promise<Obstacle | undefined> {
  const reason = await asked();
  return reason === undefined ? undefined : { reason, remedy: remedyFor(reason) };
}

export function buildObstacle(): Obstacle | undefined {
  const reason = goObstacle();
  return reason === undefined ? undefined : { reason, remedy: GO_REMEDY };
}

export function rehearsalObstacle(): Obstacle | undefined {
  const reason = Deno.build.os !== "linux"
    ? "not Linux"
    : Deno.uid() !== 0
    ? "not root"
    : !exists("/etc/debian_version")
    ? "not Debian"
    : !exists("/dev/net/tun")
    ? "no /dev/net/tun"
    : undefined;
  return reason === undefined ? undefined : { reason, remedy: remedyFor(reason) };
}

function remedyFor(reason: string): string {
  if (reason === "not root") return "run it as root (sudo)";
  if (reason === "no /dev/net/tun") return "modprobe tun; in a container, pass the device in";
  if (reason.includes("MiB of memory")) return "free some memory, or run it on a machine with more";
  if (reason.includes("processor")) return "run it on an x86_64 machine";
  return "run it as root on a Debian 12 or newer with cgroup2, overlayfs and namespaces";
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
