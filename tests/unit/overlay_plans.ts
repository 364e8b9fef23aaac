/** Configs and blueprints of gateways and nodes with several far nodes. */

import { type Blueprint, blueprint } from "../../gateway/blueprint.ts";
import { parseConfig } from "../../gateway/config/parse.ts";
import type { Facts } from "../../gateway/facts.ts";
import type { ChainItem, Item } from "../../gateway/item.ts";
import { addressFromKey } from "../../gateway/yggdrasil_address.ts";
import { FACTS } from "./golden_configs.ts";
import { OLD_NODES, SCHEMAS, TODAY } from "./keys.ts";

export const [A, B, C] = [TODAY, OLD_NODES[0].sign, OLD_NODES[1].sign];
export const device = (key: string) => `crxn-${key.slice(0, 8)}`;

export interface Parts {
  address?: string;
  more?: string;
  routes: [to: string, via: string][];
  local?: string;
  nat64?: string;
}

export const configOf = ({ address = "10.5.0.1", more = "", routes, local, nat64 }: Parts) =>
  parseConfig(
    [
      `address: ${address}`,
      more,
      "overlay:",
      "  type: yggdrasil",
      ...(local === undefined ? [] : [`  local: ${local}`]),
      `  routes: [${routes.map(([to, via]) => `{to: ${to}, via: ${via}}`).join(", ")}]`,
      ...(nat64 ? [`nat64: {${nat64}}`] : []),
      "",
    ].join("\n"),
    "f",
  );

export const PREFIX = "prefix: 2a04:5b80:300:4::/96";
export const VXLAN: Pick<Facts, "tunnel"> = { tunnel: { kind: "vxlan", why: "" } };
export const CKR: Pick<Facts, "tunnel" | "daemon"> = {
  tunnel: { kind: "ckr", why: "" },
  daemon: { generation: "0.5", ckr: [...SCHEMAS["2"]] },
};
export const ROUTES: Parts["routes"] = [
  ["10.0.0.0/8", A],
  ["10.7.0.0/16", B],
  ["172.20.0.0/14", A],
  ["10.7.9.0/24", C],
];

export const planOf = async (parts: Parts, facts: Partial<Facts> = VXLAN): Promise<Blueprint> =>
  blueprint(await configOf(parts), {
    ...FACTS,
    identity: { publicKey: A, address: addressFromKey(A), from: "kept", keys: {} },
    ...facts,
  });

export const rulesOf = (items: Item[], family: "inet" | "inet6", table: string, from: string) => {
  const chain = items.find((i): i is ChainItem =>
    i.kind === "chain" && i.family === family && i.table === table && i.from === from
  );
  return (chain?.rules ?? []).map((r) => r.join(" ").replace(/ -m comment --comment crxn:\S+/, ""));
};
