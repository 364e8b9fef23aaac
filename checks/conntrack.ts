import { Program } from "../gateway/action.ts";
import type { Check, Evidence } from "./check.ts";
import { outcomeOf } from "./problem.ts";

/** How full the table may be before it is worth a word. */
const NEARLY_FULL = 0.9;

/** The kernel's table of connections, which NAT needs an entry of for each. */
export const conntrack: Check = {
  id: "conntrack",
  title: "Connection tracking has room",
  hop: "forward",
  only: "gateway",
  early: true,
  needs: [],
  looksAt:
    "net.netfilter.nf_conntrack_count against nf_conntrack_max; what /proc/net/stat/nf_conntrack has of entries dropped or evicted since the boot, where the kernel keeps it.",
  why:
    "All clients share the overlay address by NAT, which takes an entry in the table for each connection. When the table is full, packets of new connections are dropped; those that are established go on.",
  cure:
    "`sysctl -w net.netfilter.nf_conntrack_max=524288` (on the host, when this is a container), the same in a file of /etc/sysctl.d; `conntrack -L` shows whose they are.",
  run: (input) => {
    const { host } = input;
    if (!host) return { verdict: "skip", found: "not read" };
    if (!host.tracking) return { verdict: "skip", found: "this kernel tracks no connections here" };
    const { entries, limit, dropped, evicted } = host.tracking;
    const since = dropped + evicted > 0
      ? `; since the boot ${dropped} packets dropped and ${evicted} entries evicted`
      : "";
    const found = `${entries} of ${limit} connections are tracked${since}`;
    const problem = {
      found,
      want: "room for new connections",
      fix: [[Program.sysctl, "-w", `net.netfilter.nf_conntrack_max=${limit * 2}`]],
      evidence: [evidence(entries, limit)],
    };
    // The kernel evicts a little before the end: full is what takes no new one at this moment.
    if (limit > 0 && entries >= limit * 0.99) return outcomeOf([problem], input);
    if (limit > 0 && entries > limit * NEARLY_FULL) return outcomeOf([{ ...problem, verdict: "warn" }], input);
    return { verdict: "pass", found };
  },
};

const evidence = (entries: number, limit: number): Evidence => ({
  command: [Program.sysctl, "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"],
  output: `net.netfilter.nf_conntrack_count = ${entries}\nnet.netfilter.nf_conntrack_max = ${limit}`,
});
