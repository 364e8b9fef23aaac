import { contains, host as single, parseAddress, parseNetwork } from "../gateway/cidr.ts";
import type { PoolSeen } from "../gateway/host.ts";
import { translatorAddresses6 } from "../gateway/translator.ts";
import type { Check, CheckInput, Evidence, Outcome } from "./check.ts";
import { excusedByFlush } from "./flushed.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";
import { Path } from "../gateway/names.ts";

/** How full the pool may be before it is worth a word (share of its addresses). */
const NEARLY_FULL = 0.9;

/** Addresses of a pool, whatever becomes of them. */
export const poolSize = (network: string): number => 2 ** (32 - (parseNetwork(network)?.length ?? 32));

/** Addresses that clients can get: not the network's own, not tayga's, and none that is mapped to one host for good. */
export function poolRoom({ pool, maps }: { pool: string; maps: { ipv4: string }[] }): number {
  const network = parseNetwork(pool);
  const fixed = maps.filter(({ ipv4 }) => {
    const address = parseAddress(ipv4);
    return network && address && contains(network, single(address));
  });
  return Math.max(0, poolSize(pool) - 2 - fixed.length);
}

/** Addresses for clients. */
export const pool: Check = {
  id: "pool",
  title: "The pool has addresses left",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "tayga's list of addresses given out, /var/lib/tayga/INSTANCE/dynamic.map, with the time of each one's last use, against nat64.pool without tayga's own address and those of nat64.maps; the table that keeps one network from taking it (nat64.limits); and whether the probe was refused as tayga refuses a client for whom it has no address.",
  why:
    "Each IPv6 client holds an address for two hours after its last packet. When none is left, tayga refuses new clients with ICMPv6 unreachable, code 5, and logs nothing. It writes the list within a minute after it gave out an address, and then for days not again: the times in it are those of that moment.",
  cure:
    "A larger `nat64.pool`, and `crxn up`; `nat64.clients` to keep strangers out. A restart of tayga does not free addresses; without dynamic.map it starts with an empty pool (`systemctl stop tayga@INSTANCE; rm /var/lib/tayga/INSTANCE/dynamic.map; systemctl start tayga@INSTANCE`), and every client gets another address.",
  run: (input) => {
    const unlimited = itemProblems(itemsOf("pool", input.blueprint), input, excusedByFlush(input))
      .map((p): Problem => ({ ...p, verdict: p.verdict ?? "warn" }));
    const used = usage(input);
    if (used.verdict !== "pass" || unlimited.length === 0) return used;
    return outcomeOf(unlimited, input);
  },
};

/** How many of its addresses are taken. */
function usage(input: CheckInput): Outcome {
  const { blueprint, survey } = input;
  const { pool: network, maps } = blueprint.config.nat64!;
  const room = blueprint.workers.map((w) => poolRoom({ pool: w.pool, maps })).reduce((a, b) => a + b, 0);
  const seen = input.host?.pool;
  const given = seen?.given ?? survey.poolUsed;
  const refused = refusal(input);
  if (given === undefined && !refused) {
    return survey.root
      ? { verdict: "pass", found: "no address has been given out yet" }
      : { verdict: "unknown", found: "tayga's list cannot be read: there is none yet, or it is root's alone" };
  }
  const found = `${given ?? 0} of the ${room} addresses that ${network} has for clients are given out${ages(seen)}`;
  const lists = blueprint.workers.map((w) => Path.pool(w.instance));
  const evidence = seen ? [listEvidence(lists, seen)] : [];
  const problem = (more: Partial<Problem>): Problem => ({ found, want: cureFor(network), evidence, ...more });
  if (refused) {
    return outcomeOf([
      problem({
        found: `tayga has no address left for a new client; ${found}`,
        evidence: [...evidence, ...refused],
      }),
    ], input);
  }
  const held = seen?.held ?? given ?? 0;
  if (held >= room) return outcomeOf([problem({})], input);
  // Those not used for two hours go to new clients, the longest unused first.
  if (held > room * NEARLY_FULL) return outcomeOf([problem({ verdict: "warn" })], input);
  return { verdict: "pass", found };
}

const ages = (seen: PoolSeen | undefined): string =>
  seen && seen.given > 0
    ? ` (${seen.held} used within the last two hours, as tayga's list of ${
      new Date(seen.written).toISOString().slice(0, 16).replace("T", " ")
    } UTC has it)`
    : "";

/** Twice as large, as long as that is a private network's size. */
function cureFor(network: string): string {
  const length = parseNetwork(network)?.length ?? 24;
  return `free addresses: a \`nat64.pool\` of at least /${
    Math.max(8, Math.min(length - 1, 16))
  } in crxn.yaml, then \`crxn up\``;
}

function listEvidence(lists: string[], { largest }: PoolSeen): Evidence {
  const lines = largest.map(([network, n]) => `${n} ${n === 1 ? "address" : "addresses"} to ${network}`);
  return { command: ["/usr/bin/cat", ...lists], output: lines.join("\n") };
}

/** ICMPv6 unreachable, code 5, from tayga itself: it has no address for whom it comes from. */
function refusal({ probe, blueprint }: CheckInput): Evidence[] | undefined {
  if (!probe?.ran || probe.received > 0) return undefined;
  const addresses = translatorAddresses6(blueprint.config);
  const line = probe.output.split("\n").find((l) =>
    addresses.some((address) => l.startsWith(`From ${address} `)) &&
    /unreachable: (Unknown code 5|Source address failed)/i.test(l)
  );
  return line === undefined ? undefined : [{ command: probe.command, output: line }];
}
