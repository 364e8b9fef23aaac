/** systemd-networkd and NetworkManager: which devices they manage. Asked only where they run: a question would start them. */

import { Program } from "../gateway/action.ts";
import type { ManagersSeen } from "../gateway/host.ts";
import { object } from "./ip.ts";
import type { Runner } from "./run.ts";

/** `networkctl --json=short list`: device -> .network file. A device without one is left alone. */
export function parseNetworkctl(output: string): Record<string, string> {
  const value: unknown = JSON.parse(output);
  const list = typeof value === "object" && value !== null ? (value as Record<string, unknown>)["Interfaces"] : [];
  const files: Record<string, string> = {};
  for (const link of Array.isArray(list) ? list.map(object) : []) {
    const [name, file, state] = [link["Name"], link["NetworkFile"], link["AdministrativeState"]];
    if (typeof name === "string" && typeof file === "string" && state !== "unmanaged") files[name] = file;
  }
  return files;
}

const NO = /^(no|n|false|f|off|0)$/i;

/** networkd.conf(5), all its files one after the other: the last line counts. */
export function parseNetworkdConf(text: string): { keepsRoutes: boolean; keepsRules: boolean } {
  const last = (key: string) =>
    [...text.matchAll(new RegExp(`^\\s*${key}\\s*=\\s*(\\S*)\\s*$`, "gm"))].at(-1)?.[1] ?? "";
  return {
    keepsRoutes: NO.test(last("ManageForeignRoutes")),
    keepsRules: NO.test(last("ManageForeignRoutingPolicyRules")),
  };
}

/** `nmcli -t -f DEVICE,STATE,CONNECTION device`: those that it has taken over. "connected (externally)": it only looks on. */
export function parseNmcli(output: string): Record<string, string> {
  const devices: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const [device, state, connection] = line.split(/(?<!\\):/).map((word) => word.replaceAll("\\:", ":"));
    if (!device || !state || /^(unmanaged|unavailable|disconnected)/.test(state) || /externally/.test(state)) continue;
    devices[device] = connection ?? "";
  }
  return devices;
}

/** @param active which of the two run */
export async function readManagers(
  runner: Runner,
  active: { networkd: boolean; networkManager: boolean },
): Promise<ManagersSeen> {
  const managers: ManagersSeen = {};
  if (active.networkd) {
    const [list, conf] = await Promise.all([
      runner.run([Program.networkctl, "--json=short", "list"]),
      runner.run([Program.systemdAnalyze, "cat-config", "systemd/networkd.conf"]),
    ]);
    if (list.code === 0) managers.networkd = { files: parseNetworkctl(list.stdout), ...parseNetworkdConf(conf.stdout) };
  }
  if (active.networkManager) {
    const { code, stdout } = await runner.run([Program.nmcli, "-t", "-f", "DEVICE,STATE,CONNECTION", "device"]);
    if (code === 0) managers.networkManager = parseNmcli(stdout);
  }
  return managers;
}
