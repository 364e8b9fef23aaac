import type { Check } from "./check.ts";

/** What the daemons complain about. */
export const logs: Check = {
  id: "logs",
  title: "The daemons' logs have no errors",
  hop: undefined,
  needs: [],
  looksAt: "Nothing yet.",
  why:
    "Both daemons name in their logs what they cannot tell otherwise: a peer of another version, a bad key, a full disk.",
  cure: "`journalctl -u tayga@INSTANCE -u yggdrasil`.",
  run: () => ({ verdict: "skip", found: "not read by this version of crxn: see journalctl" }),
};
