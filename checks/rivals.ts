/** Other translators on this machine: tayga with another config, Jool, and addresses that take a client's place. Pure. */

import { Program, run } from "../gateway/action.ts";
import { contains, host as single, type Network, overlaps, parseAddress, parseNetwork } from "../gateway/cidr.ts";
import type { RivalConfig } from "../gateway/host.ts";
import { Path, Unit } from "../gateway/names.ts";
import { linkOf, type RouteSeen } from "../gateway/survey.ts";
import { slicesOf } from "../gateway/translator.ts";
import { ruleLine } from "../gateway/rule.ts";
import type { CheckInput } from "./check.ts";
import type { Problem } from "./problem.ts";
import { taygaConfigOf } from "./running_config.ts";
import type { Translator } from "../gateway/workers.ts";

const touch = (a: string | undefined, b: string): boolean => {
  const [one, other] = [parseNetwork(a ?? ""), parseNetwork(b)];
  return one !== undefined && other !== undefined && one.family === other.family && overlaps(one, other);
};

/** What a config has in common with the gateway's, in words. */
function shared({ device, prefix, pool }: Partial<RivalConfig>, { blueprint }: CheckInput): string[] {
  const { prefix: own, nat64 } = blueprint.config;
  return [
    ...(device !== undefined && blueprint.workers.some((w) => w.device === device) ? [`the device ${device}`] : []),
    ...(touch(prefix, own!) ? [`the prefix ${prefix}`] : []),
    ...(touch(pool, nat64!.pool) ? [`the pool ${pool}`] : []),
  ];
}

/** Units of tayga with a config that wants what is the gateway's. */
export function otherTaygas(input: CheckInput): Problem[] {
  return (input.host?.rivals ?? []).filter((r) => r.active || r.enabled).flatMap((rival): Problem[] => {
    const common = shared(rival, input);
    if (common.length === 0) return [];
    const { unit, file, active } = rival;
    const argv = [Program.systemctl, "disable", "--now", unit];
    return [{
      found: `${unit} ${active ? "runs" : "will run after the next boot"}, and its config ${file} has ${
        common.join(" and ")
      } as well`,
      want: "one translator for the prefix and the pool",
      fix: [argv],
      evidence: [{ command: ["/usr/bin/cat", file], output: common.join("\n") }],
      ...(active ? {} : { carries: true as const }),
    }];
  });
}

/** A tayga that no unit of the gateway has started, with the gateway's own config: it holds the device. */
export const strayTaygas = (input: CheckInput): Problem[] =>
  input.blueprint.workers.flatMap((worker) => straysOf(worker, input));

function straysOf({ instance }: Translator, { survey, host }: CheckInput): Problem[] {
  const unit = Unit.translator(instance);
  const main = survey.units[unit]?.pid ?? 0;
  return (host?.processes ?? []).filter((p) =>
    /(^|\/)tayga$/.test(p.args[0]!) && p.pid !== main && taygaConfigOf(p.args) === Path.taygaConfig(instance) &&
    // --mktun is over at once, and part of the unit's own start.
    !p.args.some((a) => a === "--mktun" || a === "--rmtun")
  ).filter(() => survey.units[unit] !== undefined).map(({ pid, args }) => ({
    found:
      `process ${pid} is a tayga with the gateway's config that ${unit} did not start: only one of them can have the device`,
    want: `tayga started by ${unit} only`,
    steps: [
      { title: `end process ${pid}`, actions: [run([Program.kill, String(pid)])] },
      { title: `restart ${unit}`, actions: [run([Program.systemctl, "restart", unit])] },
    ],
    evidence: [{ command: [Program.ps, "-o", "args=", "-p", String(pid)], output: args.join(" ") }],
  }));
}

/** Routes of the prefix or the pool into other TUN devices: each is another translator's. */
export function rivalRoutes({ blueprint, survey }: Pick<CheckInput, "blueprint" | "survey">): RouteSeen[] {
  const { prefix: own, nat64 } = blueprint.config;
  if (!own || !nat64) return [];
  const prefix = parseNetwork(own)!;
  const pool = parseNetwork(nat64.pool)!;
  return survey.routes.filter((r) => {
    const to = parseNetwork(r.to);
    const isTun = r.type === "unicast" && r.device !== undefined && linkOf(survey, r.device)?.kind === "tun";
    if (!to || !isTun || blueprint.workers.some((w) => w.device === r.device) || r.table !== "main") return false;
    // The overlay's own TUN carries routes as well, but never one of the prefix.
    return contains(prefix, to) || (to.length > 64 && contains(to, prefix)) ||
      (r.family === "inet" && !blueprint.ways.some((w) => w.device === r.device) && to.length >= pool.length &&
        overlaps(pool, to));
  });
}

/** Jool takes packets in the kernel, before any route counts: by its own hooks, or where a rule hands them to it. */
export function kernelTranslators({ blueprint, survey, host }: CheckInput): Problem[] {
  const prefix = parseNetwork(blueprint.config.prefix!)!;
  const found: Problem[] = [];
  for (const family of ["inet6", "inet"] as const) {
    for (const [chain, { rules }] of Object.entries(survey.rules[family]?.["mangle"] ?? {})) {
      for (const rule of rules.filter((r) => /^JOOL/.test(r[r.indexOf("-j") + 1] ?? ""))) {
        const to = parseNetwork(rule[rule.indexOf("-d") + 1] ?? "");
        if (family === "inet6" && rule.includes("-d") && to && !overlaps(prefix, to)) continue;
        // Without any destination it takes what its own pool6 says: that may be another prefix.
        const sure = family === "inet6" && to !== undefined && rule.includes("-d");
        const command = family === "inet6" ? Program.ip6tables : Program.iptables;
        found.push({
          found: `Jool, another NAT64, is handed packets by the rule "-A ${chain} ${ruleLine(rule)}" in mangle`,
          want: "one translator for the prefix",
          verdict: sure ? "fail" : "warn",
          fix: [[command, "-t", "mangle", "-D", chain, ...rule]],
        });
      }
    }
  }
  const modules = host?.translators ?? [];
  if (found.length > 0 || modules.length === 0) return found;
  return [{
    found: `the kernel has another translator loaded, ${
      modules.join(" and ")
    }: an instance of it for this prefix would take the gateway's packets`,
    want: "no instance with this prefix (`jool instance display`, `jool global display`)",
    verdict: "warn",
    fix: [["/usr/bin/jool", "instance", "display"]],
  }];
}

const ELSEWHERE = "what is for it ends at this machine, not in the translator";

/** An address of the pool or of a slice on a device of this machine: packets for that client, or that host, end here. */
export function ownAddresses({ blueprint, survey }: CheckInput): Problem[] {
  const { config } = blueprint;
  // Outside the slices nothing is translated: there the uplink itself may have its address, as 2001:db8::1 of 2001:db8::/96.
  const networks = [...slicesOf(config), config.nat64!.pool].flatMap(
    (text): [string, Network][] => {
      const network = parseNetwork(text);
      return network ? [[text, network]] : [];
    },
  );
  return survey.links.flatMap((link) =>
    link.addresses.flatMap(({ address }): Problem[] => {
      const found = parseAddress(address.split("/")[0]!);
      const within = found && networks.find(([, n]) => n.family === found.family && contains(n, single(found)));
      if (!within) return [];
      // Notes often give the device the translator's own address, which no client gets.
      const own = blueprint.workers.some((w) => w.device === link.name && w.address === address.split("/")[0]);
      return [{
        ...(own ? { verdict: "warn" as const } : {}),
        found: `${link.name} has the address ${address} of ${within[0]}: ${
          own ? "the translator's errors, which come from it, are dropped" : ELSEWHERE
        }`,
        want: `no address of ${within[0]} on any device`,
        fix: [[Program.ip, "address", "del", address, "dev", link.name]],
      }];
    })
  );
}
