/** Which of the kernel's IPsec policies decides about a packet that it forwards (ip-xfrm(8)). Pure. */

import { contains, host, parseAddress, parseNetwork } from "../gateway/cidr.ts";
import type { Through } from "./probe_result.ts";

interface Policy {
  src: string;
  dst: string;
  /** Behind the two networks: protocol, ports, device. */
  more: string;
  /** `fwd`: of what was received; `out`: of what leaves. */
  dir: string;
  /** The smallest number is asked first. */
  priority: number;
  block: boolean;
  /** What it has to be packed in; what is not is dropped, or waits for keys. */
  wrapped: boolean;
}

/** `src 10.1.0.0/24 dst 0.0.0.0/0 `, and below it `	dir fwd action block priority 0 ptype main ` and templates. */
function parsePolicies(output: string): Policy[] {
  return output.split(/^(?=src )/m).flatMap((text): Policy[] => {
    const head = /^src (\S+) dst (\S+) *(.*?) *$/m.exec(text);
    const body = /^\s+dir (\S+)( action block)?.*?\bpriority (\d+)/m.exec(text);
    if (!head || !body) return [];
    const [, src = "", dst = "", more = ""] = head;
    const wrapped = /^\s+tmpl /m.test(text);
    return [{ src, dst, more, dir: body[1]!, priority: Number(body[3]), block: body[2] !== undefined, wrapped }];
  });
}

const holds = (network: string, address: string): boolean => {
  const [outer, inner] = [parseNetwork(network), parseAddress(address)];
  return outer !== undefined && inner !== undefined && contains(outer, host(inner));
};

/**
 * The policy that keeps a packet from being forwarded as it is, in words; undefined where none does. One for certain protocols or
 * ports is not judged: it may be about other packets.
 */
export function ipsecPolicy({ route, ipsec }: Through): string | undefined {
  // `ip route get TO from FROM iif DEVICE` is what was asked about it.
  const { command = [] } = route ?? {};
  const [to, , from] = command.slice(command.indexOf("get") + 1);
  if (!ipsec || to === undefined || from === undefined) return undefined;
  const about = parsePolicies(ipsec.output).filter(({ src, dst, more }) =>
    holds(src, from) && holds(dst, to) && !/\b(proto|sport|dport|type|code|key)\b/.test(more)
  );
  for (const dir of ["fwd", "out"]) {
    const [first] = about.filter((p) => p.dir === dir).sort((a, b) => a.priority - b.priority);
    if (!first?.block && !first?.wrapped) continue;
    const more = first.more === "" ? "" : ` ${first.more}`;
    const what = first.block ? "blocks them" : "wants them in IPsec";
    return `the IPsec policy "src ${first.src} dst ${first.dst}${more} dir ${dir}" ${what} (ip xfrm policy)`;
  }
  return undefined;
}
