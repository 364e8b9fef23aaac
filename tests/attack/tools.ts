import { ensureRequirements, type Place } from "../rig/mod.ts";
import type { Requirement } from "../rig/requirements.ts";

// Attackers' tools, of Debian. They run in network namespaces of the lab and see nothing else.

export const TOOLS: Requirement[] = [
  { file: "/usr/bin/nmap", package: "nmap" },
  { file: "/usr/sbin/hping3", package: "hping3" },
  { file: "/usr/bin/scapy3", package: "python3-scapy" },
  { file: "/usr/bin/tcpdump", package: "tcpdump" },
  { file: "/usr/bin/atk6-alive6", package: "thc-ipv6" },
];

export const ensureTools = (): Promise<void> => ensureRequirements(TOOLS);

const family = (addresses: string[]) => addresses.some((a) => a.includes(":")) ? ["-6"] : [];

/** Those of the addresses at which anybody answers, whatever: to pings, to TCP, to UDP. */
export async function answering(from: Place, addresses: string[]): Promise<string[]> {
  const probes = ["-PE", "-PS22,8080", "-PA80", "-PU40125"];
  const { stdout, stderr } = await from.run(
    // deno-fmt-ignore
    ["nmap", ...family(addresses), "-n", "-sn", "--disable-arp-ping", ...probes, "--max-retries", "1", "--host-timeout", "5s", "-oG", "-", ...addresses],
    { timeoutSeconds: 120 },
  );
  if (!/# Nmap done/.test(stdout)) throw new Error(`nmap says: ${stdout}${stderr}`);
  return [...stdout.matchAll(/^Host: (\S+) \(.*\)\tStatus: Up$/gm)].map(([, address]) => address!);
}

/** Of TCP ports at these addresses, those that somebody has answered for, be it with a refusal, as "ADDRESS PORT". */
export async function reachedPorts(from: Place, addresses: string[], ports: number[]): Promise<string[]> {
  const { stdout, stderr } = await from.run(
    // deno-fmt-ignore
    ["nmap", ...family(addresses), "-n", "-Pn", "-sS", "-p", ports.join(), "--disable-arp-ping", "--max-retries", "1", "--host-timeout", "10s", "-oG", "-", ...addresses],
  );
  if (!/# Nmap done/.test(stdout)) throw new Error(`nmap says: ${stdout}${stderr}`);
  return [...stdout.matchAll(/^Host: (\S+) \(.*\)\tPorts: (.*)$/gm)].flatMap(([, address, list]) =>
    [...list!.matchAll(/(\d+)\/(?:open|closed)\/tcp/g)].map(([, port]) => `${address} ${port}`)
  );
}

const SOURCES = new URL("sources.py", import.meta.url).pathname;

/** Sends one echo request from each of `count` addresses of each network, forged, some thousand a second. */
export async function fromManySources(from: Place, to: string, networks: string[], count: number): Promise<void> {
  await from.must(["python3", SOURCES, "eth0", to, String(count), ...networks], { timeoutSeconds: 180 });
}

/** A few packets of scapy's, an expression of its language each. */
export async function sendPackets(from: Place, ...packets: string[]): Promise<void> {
  const script = `from scapy.all import *\nconf.verb = 0\n${packets.map((p) => `send(${p})`).join("\n")}\n`;
  await from.must(["python3", "-c", script]);
}
