/** Keeps the packets of some devices while the doctor works. tcpdump(8), pcap-filter(7). */

import { Program } from "../gateway/action.ts";
import { CrxnError, Exit } from "../gateway/errors.ts";
import { objects } from "./ip.ts";
import { newFile } from "./new_file.ts";
import type { Held, Runner } from "./run.ts";

export interface Capture extends AsyncDisposable {
  /** Ends it. @returns how many packets tcpdump took; undefined when it does not tell. `lost`: why the file has not all of them */
  end(): Promise<{ packets?: number; lost?: string }>;
}

/**
 * One file for all devices, in the order of time, each packet with its device and direction (LINKTYPE_LINUX_SLL2). The file is new,
 * root's alone, and opened here: tcpdump writes into a pipe and needs no right to any folder.
 * @throws CrxnError 64 for a file that cannot be made, 69 without tcpdump or any of the devices
 */
export async function startCapture(runner: Runner, path: string, devices: string[]): Promise<Capture> {
  const { code } = await runner.run([Program.tcpdump, "--version"]);
  if (code === 127) {
    throw new CrxnError(Exit.unavailable, "There is no tcpdump on this machine.", "`apt install tcpdump`");
  }
  const indexes = (await Promise.all(devices.map((d) => indexOf(runner, d)))).filter((i) => i !== undefined);
  if (indexes.length === 0) {
    throw new CrxnError(Exit.unavailable, `There is nothing to capture on: no ${devices.join(", no ")}.`);
  }
  const file = await newFile(path);
  const filter = indexes.map((i) => `ifindex ${i}`).join(" or ");
  // Otherwise the kernel hands packets over a second later, and the last ones never.
  const live = ["--immediate-mode", "-U"];
  // As another user it would outlive crxn: the kernel forgets whose death ends it (prctl(2), PR_SET_PDEATHSIG).
  const argv = [Program.tcpdump, "-Z", "root", "-i", "any", "-y", "LINUX_SLL2", "-n", ...live, "-w", "-", filter];
  const tcpdump = runner.start?.(argv, { stdout: file.writable });
  if (!tcpdump || !await tcpdump.says(/listening on/, 5)) {
    await tcpdump?.end("SIGKILL");
    await Deno.remove(path).catch(() => {});
    const said = tcpdump?.output().trim().split("\n").at(-1);
    throw new CrxnError(Exit.failed, `tcpdump does not capture${said ? `: ${said}` : ""}.`);
  }
  let ended: ReturnType<Capture["end"]> | undefined;
  const end = () => ended ??= finish(tcpdump);
  return { end, [Symbol.asyncDispose]: async () => void await end() };
}

/** What has just passed is in the kernel's buffer for a moment. */
async function finish(tcpdump: Held): ReturnType<Capture["end"]> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  await tcpdump.end("SIGINT");
  const captured = /^(\d+) packets? captured/m.exec(tcpdump.output())?.[1];
  const lost = tcpdump.lost?.();
  return { ...(captured === undefined ? {} : { packets: Number(captured) }), ...(lost === undefined ? {} : { lost }) };
}

async function indexOf(runner: Runner, device: string): Promise<number | undefined> {
  const { code, stdout } = await runner.run([Program.ip, "-j", "link", "show", "dev", device]);
  if (code !== 0) return undefined;
  try {
    const index = objects(stdout)[0]?.["ifindex"];
    return typeof index === "number" ? index : undefined;
  } catch {
    return undefined;
  }
}
