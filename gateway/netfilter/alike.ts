/** Which overlay networks no firewall tells apart. Pure. */

import { embedder } from "../address.ts";
import { bordersIn, distinct } from "../alike.ts";
import { parseAddress } from "../cidr.ts";
import { firstHost } from "../networks.ts";
import type { Way } from "../overlay_nodes.ts";
import type { Ruleset, Survey } from "../survey.ts";

export interface Inside {
  device: string;
  /** A host of one of the overlay's networks. */
  host: string;
}

/**
 * A host of each overlay network; of many networks that the rules of others do not tell apart, of one.
 * @param prefix where the overlay appears in IPv6, on a gateway
 */
export function hostsInside(ways: Way[], prefix: string | undefined, survey: Survey): Inside[] {
  const before = known.get(survey);
  if (before?.ways === ways && before.prefix === prefix) return before.found;
  const found = search(ways, prefix, survey);
  known.set(survey, { ways, prefix, found });
  return found;
}

/** Several checks ask the same of one survey. */
const known = new WeakMap<Survey, { ways: Way[]; prefix: string | undefined; found: Inside[] }>();

function search(ways: Way[], prefix: string | undefined, survey: Survey): Inside[] {
  const all = ways.flatMap(({ device, networks }) => networks.map((to) => ({ device, host: firstHost(to) })));
  const embed = prefix === undefined ? undefined : embedder(prefix);
  const addresses = ({ host }: Inside) => {
    const address = parseAddress(host)!;
    return embed ? [address, embed(address)] : [address];
  };
  return distinct(all, addresses, ({ device }) => device, () => bordersIn(rulesOfOthers(survey)));
}

/** crxn's own rules name every network, and treat all the same; its tables of nftables name none. */
function rulesOfOthers({ rules, legacy, native }: Survey): string[] {
  const iptables = [rules, legacy ?? {}].flatMap((both) => Object.values(both)).flatMap(textsOf);
  return [...iptables, ...(native ?? []).map(({ rules }) => JSON.stringify(rules))];
}

const textsOf = (ruleset: Ruleset | undefined): string[] =>
  Object.values(ruleset ?? {}).flatMap((table) =>
    Object.entries(table).flatMap(([name, { rules }]) =>
      name.startsWith("CRXN-") ? [] : rules.map((words) => words.join(" "))
    )
  );
