/** A fake machine as text: what a test compares, and reads when it fails. */

import type { FakeMachine } from "./machine.ts";

/** crxn's own memory, and what packages bring. */
const IGNORED = /^\/(var\/lib\/crxn|run\/crxn|usr\/|etc\/group)/;

/** @param tables also empty tables of iptables, in which nothing is filtered */
export function snapshot(machine: FakeMachine, { tables = true } = {}): string {
  const { network, sysctls, netfilter, systemd } = machine;
  const chains = [...netfilter.tables].flatMap(([table, all]) => {
    const lines = [...all].sort().flatMap(([name, { policy, rules }]) => [
      ...(tables || policy === "DROP" ? [`${table} ${name} ${policy ?? "-"}`] : []),
      ...rules.map((r) => `${table} ${name}: ${r}`),
    ]);
    return tables ? [`table ${table}`, ...lines] : lines;
  });
  return [
    ...network.links.map((l) =>
      `link ${l.name} ${l.kind ?? "-"} ${l.up ? "up" : "down"} mtu ${l.mtu} ${l.holder ?? ""}`
    ),
    ...network.links.flatMap((l) => [...l.addresses].sort().map((a) => `address ${a} on ${l.name}`)),
    ...network.routes.map((r) =>
      `route ${r.family} ${r.type} ${r.to} via ${r.via ?? "-"} dev ${
        r.device ?? "-"
      } metric ${r.metric} proto ${r.protocol}`
    ).sort(),
    ...chains.sort(),
    ...[...netfilter.native].map(([name, text]) => `nft ${name} ${JSON.stringify(text)}`),
    ...[...sysctls.values].map(([k, v]) => `sysctl ${k} = ${v}`).sort(),
    ...[...systemd.units].filter(([, u]) => u.active !== "inactive" || u.enabled)
      .map(([n, u]) => `unit ${n} ${u.active} ${u.enabled ? "enabled" : "disabled"}`).sort(),
    ...files(machine.folder).sort(),
  ].join("\n") + "\n";
}

function files(root: string, path = ""): string[] {
  return [...Deno.readDirSync(root + path)].flatMap((entry) => {
    const name = `${path}/${entry.name}`;
    if (IGNORED.test(name)) return [];
    const info = Deno.statSync(root + name);
    const mode = ((info.mode ?? 0) & 0o7777).toString(8);
    if (entry.isDirectory) return [`folder ${name} ${mode}`, ...files(root, name)];
    return [`file ${name} ${mode} ${info.uid}:${info.gid} ${JSON.stringify(Deno.readTextFileSync(root + name))}`];
  });
}

/** The lines that differ: `-` is gone, `+` has come. */
export function differences(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return [
    ...old.filter((l) => !now.includes(l)).map((l) => `- ${l}`),
    ...now.filter((l) => !old.includes(l)).map((l) => `+ ${l}`),
  ];
}
