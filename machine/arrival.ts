/** Whether packets for the routed network come here. The client asks the provider's first router, which has to answer it. */

import type { Arrival } from "../checks/probe_result.ts";
import { Program } from "../gateway/action.ts";
import { FAR_AWAY } from "../gateway/probe_plan.ts";
import type { Survey } from "../gateway/survey.ts";
import type { Client } from "./probe_client.ts";

/** This machine takes one off, and the first router the other: it answers "time exceeded" (RFC 4443, 3.3). */
const HOP_LIMIT = 2;

export async function seekArrival(client: Client, survey: Survey): Promise<Arrival> {
  const own = new Set(survey.links.flatMap((l) => l.addresses.map((a) => a.address.split("/")[0])));
  // One at a time: routers send few errors in a second (RFC 4443, 2.4 f).
  const command = [Program.ping, "-6", "-n", "-c", "1", "-W", "1", "-t", String(HOP_LIMIT), FAR_AWAY];
  const ask = async () => {
    const { stdout, stderr } = await client.runner.run(command, { timeoutSeconds: 10 });
    return { output: (stdout + stderr).trim(), by: answersOf(stdout).find((address) => !own.has(address)) };
  };
  const first = await ask();
  const { output, by: answeredBy } = first.by ? first : await ask();
  return { address: client.address, ...(answeredBy ? { answeredBy } : {}), command, output };
}

/** Whoever answered in any way: "From 2001:db8::1 icmp_seq=1 Time exceeded: Hop limit", "64 bytes from ...". */
export const answersOf = (output: string): string[] =>
  [...output.matchAll(/^(?:From|\d+ bytes from) ([0-9a-f:]+?):? icmp_seq=/gm)].map((m) => m[1]!);
