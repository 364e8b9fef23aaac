/** Items as a survey shows them once they are on a machine. */

import { jumpRule } from "../../../gateway/commands.ts";
import type { Item, LinkItem, RouteItem } from "../../../gateway/item.ts";
import { canonicalNetwork } from "../../../gateway/networks.ts";
import type { Link, Survey } from "../../../gateway/survey.ts";

const counters = () => ({ packets: 5, bytes: 420, dropped: 0 });

export const linkSeen = (name: string, more: Partial<Link> = {}): Link => ({
  name,
  up: true,
  carrier: true,
  mtu: 1500,
  data: {},
  addresses: [],
  rx: counters(),
  tx: counters(),
  ...more,
});

function linkFrom({ name, spec }: LinkItem): Link {
  switch (spec.type) {
    case "tun":
      return linkSeen(name, { kind: "tun", mtu: 65535, data: { type: "tun", persist: true } });
    case "translator":
      return linkSeen(name, { kind: "tun", data: { type: "tun", persist: true } });
    case "vxlan":
      return linkSeen(name, {
        kind: "vxlan",
        mtu: spec.mtu,
        data: { local6: spec.local, remote6: spec.remote, id: spec.vni, port: spec.port, link: spec.underlay },
      });
    case "ip6gre":
      return linkSeen(name, {
        kind: "ip6gre",
        mtu: spec.mtu,
        data: { local: spec.local, remote: spec.remote, link: spec.underlay },
      });
  }
}

/** Puts an item onto the machine, as its commands would. */
export function put(item: Item, survey: Survey): void {
  switch (item.kind) {
    case "package":
      (survey.packages ??= {})[item.name] = "1.0";
      return;
    case "file":
      survey.files[item.path] = { content: item.content, mode: item.mode, uid: 0, gid: 0, modified: 1000 };
      return;
    case "sysctl":
      survey.sysctls[item.key] = item.value;
      return;
    case "link":
      survey.links = [...survey.links.filter((l) => l.name !== item.name), linkFrom(item)];
      return;
    case "address":
      survey.links.find((l) => l.name === item.device)?.addresses.push({
        address: item.address,
        family: item.family,
        scope: "global",
        dynamic: false,
      });
      survey.routes.push({
        family: item.family,
        to: canonicalNetwork(item.address.split("/")[0]!),
        type: "local",
        device: item.device,
        table: "local",
        protocol: "kernel",
        metric: 0,
      });
      return;
    case "route":
      survey.routes.push(routeFrom(item));
      return;
    case "chain": {
      const table = ((survey.rules[item.family] ??= {})[item.table] ??= {});
      const from = (table[item.from] ??= { name: item.from, policy: "ACCEPT", rules: [] });
      from.rules.unshift(jumpRule(item));
      table[item.chain] = { name: item.chain, rules: item.rules.map((r) => [...r]) };
      return;
    }
    case "table": {
      const [family, table] = item.name.split(" ") as ["inet", string];
      survey.nftables = [...survey.nftables ?? [], item.name];
      const chains = [...item.text.matchAll(/^\tchain (\w+) \{\n([\s\S]*?)^\t\}$/gm)].map(([, name, body]) => ({
        family,
        table,
        name: name!,
        rules: body!.split("\n").filter((l) => /^\t\t(?!#|type )/.test(l)).map((l) => ({
          expr: [],
          ...(l.includes(item.mark) ? { comment: item.mark } : {}),
        })),
      }));
      survey.native = [...survey.native ?? [], ...chains];
      return;
    }
    case "service":
      survey.units[item.unit] = {
        unit: item.unit,
        load: "loaded",
        active: "active",
        sub: "running",
        enabled: "enabled",
        since: 2000,
        pid: 100,
        restarts: 0,
        fragment: "",
        needsReload: false,
        result: "success",
      };
      return;
    case "unwanted":
      return;
  }
}

const routeFrom = (item: RouteItem): Survey["routes"][number] => ({
  family: item.family,
  to: canonicalNetwork(item.to),
  type: item.type,
  ...(item.device ? { device: item.device } : {}),
  ...(item.via ? { via: item.via } : {}),
  table: "main",
  protocol: "64",
  metric: item.metric ?? (item.family === "inet6" ? 1024 : 0),
});
