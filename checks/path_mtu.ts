import type { Check } from "./check.ts";

/** The measured size of packets on each leg. */
export const pathMtu: Check = {
  id: "path-mtu",
  title: "Large packets pass on each leg of the path",
  hop: "forward",
  needs: [],
  looksAt: "Nothing yet: it takes packets of several sizes on each leg.",
  why: "A leg that swallows large packets lets pings through and stops every transfer.",
  cure: "Lower the MTU of the leg's device to what passes, then `crxn up`: the clamp follows.",
  run: () => ({ verdict: "skip", found: "not measured by this version of crxn" }),
};
