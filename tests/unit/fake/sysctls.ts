/** A fake kernel's parameters under net, and what it moves along with them. */

import { type Answer, ok, refused } from "./answer.ts";

const dotted = (key: string) => key.replace(/[./]/g, (c) => c === "/" ? "." : "/");

export class FakeSysctls {
  values = new Map<string, string>();
  /** Called when IPv6 forwarding goes on: the kernel drops routes that a router announced where accept_ra is 1. */
  onForwarding: () => void = () => {};

  constructor() {
    this.values.set("net/ipv4/ip_forward", "0");
    this.values.set("net/ipv6/fib_multipath_hash_policy", "0").set("net/ipv6/fib_multipath_hash_fields", "7");
    for (const name of ["all", "default"]) this.addDevice(name);
  }

  addDevice(name: string): void {
    const like = (key: string, otherwise: string) => this.values.get(key.replace("*", "default")) ?? otherwise;
    for (const [key, value] of Object.entries(PER_DEVICE)) {
      this.values.set(key.replace("*", name), name === "default" ? value : like(key, value));
    }
    if (name === "all") this.values.delete("net/ipv4/neigh/all/proxy_delay");
  }

  removeDevice(name: string): void {
    for (const key of Object.keys(PER_DEVICE)) this.values.delete(key.replace("*", name));
  }

  set(key: string, value: string): boolean {
    const former = this.values.get(key);
    if (former === undefined) return false;
    if (former === value) return true;
    this.values.set(key, value);
    if (key === "net/ipv4/ip_forward" || key === "net/ipv4/conf/all/forwarding") {
      this.values.set("net/ipv4/ip_forward", value);
      this.everywhere("net/ipv4/conf/*/forwarding", value);
      // RFC 1812: routers do not accept redirects.
      this.values.set("net/ipv4/conf/all/accept_redirects", value === "1" ? "0" : "1");
    }
    if (key === "net/ipv6/conf/all/forwarding") {
      this.everywhere("net/ipv6/conf/*/forwarding", value);
      if (value !== "0") this.onForwarding();
    }
    return true;
  }

  private everywhere(pattern: string, value: string): void {
    const [head, tail] = pattern.split("*");
    for (const key of this.values.keys()) if (key.startsWith(head!) && key.endsWith(tail!)) this.values.set(key, value);
  }

  run(argv: string[]): Answer {
    if (argv.includes("-a")) {
      return ok([...this.values].map(([k, v]) => `${dotted(k)} = ${v}\n`).join(""));
    }
    const asked = argv.filter((w) => !w.startsWith("-") && !w.includes("=")).filter((k) => this.values.has(k));
    if (asked.length > 0) return ok(asked.map((k) => `${dotted(k)} = ${this.values.get(k)}\n`).join(""));
    for (const word of argv.filter((w) => w.includes("="))) {
      const [key, value] = word.split("=") as [string, string];
      if (!this.set(key, value) && !argv.includes("-e")) {
        return refused(`sysctl: cannot stat /proc/sys/${key}: No such file or directory`, 1);
      }
    }
    return ok();
  }
}

const PER_DEVICE: Record<string, string> = {
  "net/ipv4/conf/*/forwarding": "0",
  "net/ipv4/conf/*/accept_redirects": "1",
  "net/ipv4/conf/*/proxy_arp": "0",
  "net/ipv4/neigh/*/proxy_delay": "80",
  "net/ipv6/conf/*/forwarding": "0",
  "net/ipv6/conf/*/accept_redirects": "1",
  "net/ipv6/conf/*/accept_ra": "1",
  "net/ipv6/conf/*/disable_ipv6": "0",
};
