/** Peer and listen addresses of yggdrasil (0.4 and 0.5, `Peers` and `Listen` of yggdrasil.conf). */
import { type Address, contains, host, network, parseAddress } from "../cidr.ts";
import { Fault, unlessRefused } from "./problem.ts";
import { interfaceName, type Kind, kind } from "./values.ts";

const DIAL = ["tls", "tcp", "quic", "ws", "wss", "unix", "socks", "sockstls"];
const LISTEN = ["tls", "tcp", "quic", "ws", "unix"];
const EXAMPLE = { peer: "tls://peer.example.net:443", listen: "tls://[::]:9001" };

/** The literal address that a peer URI is reached at (of the proxy, for socks); undefined for a host name. */
export function literalHost(uri: string): Address | undefined {
  const found = /^[a-z]+:\/\/(?:[^@/]*@)?(?:\[([^\]]+)\]|([^:/?]+)):/.exec(uri);
  return found ? parseAddress(found[1]?.split("%")[0] ?? found[2]!) : undefined;
}

const LINK_LOCAL = network("fe80::/10");
const ZONED = "tls://[fe80::1%25eth0]:9001";

/**
 * An IPv6 address, and behind a link-local one which link it is on: `%25`, the escaped `%` of RFC 6874, and its name.
 * @param linked whether a link can be named here
 */
function checkIpv6(text: string, linked: boolean): void {
  const [, bare = "", percent = "", link = ""] = /^([^%]*)(%(?:25)?)?([^]*)$/.exec(text)!;
  const address = parseAddress(bare);
  if (address?.family !== 6) {
    throw new Fault("has no IPv6 address in its brackets", "write it like tls://[2001:db8::1]:443");
  }
  if (!contains(LINK_LOCAL, host(address))) {
    if (percent === "") return;
    throw new Fault(`names a link behind ${bare}, which is not link-local`, "leave out the % and what is behind it");
  }
  if (!linked) {
    throw new Fault(
      `has the link-local address ${bare}, which leads nowhere from here`,
      "use another address of that host",
    );
  }
  if (percent === "") {
    throw new Fault(`has the link-local address ${bare} without its link`, `name the link behind it, like ${ZONED}`);
  }
  if (percent !== "%25") throw new Fault("has a % as it is, which a URI escapes", `write %25 for it, like ${ZONED}`);
  if (unlessRefused(() => interfaceName.read(link)) === undefined) {
    throw new Fault("has no interface name behind its %25", `write it like ${ZONED}`);
  }
}

function checkHostPort(text: string, lowestPort: number, example: string, linked = false): void {
  const found = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (!found) {
    if (text.split(":").length > 2 && !text.startsWith("[")) {
      throw new Fault(
        "has an IPv6 address without brackets, or more than one port",
        "write it like tls://[2001:db8::1]:443",
      );
    }
    throw new Fault("does not say HOST:PORT", `write it like ${example}`);
  }
  const [, ipv6, name, port] = found;
  if (Number(port) < lowestPort || Number(port) > 65535 || /^0./.test(port!)) {
    throw new Fault(`has port ${port}`, `a port is a number from ${lowestPort} to 65535`);
  }
  if (ipv6 !== undefined) return checkIpv6(ipv6, linked);
  const label = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
  const labels = name!.replace(/\.$/, "").split(".");
  const digits = /^[0-9]+$/.test(labels.at(-1)!);
  if (name!.length > 253 || !labels.every((text) => label.test(text)) || (digits && !parseAddress(name!))) {
    throw new Fault(`has a host that is neither a name nor an IPv4 address`, `write it like ${example}`);
  }
}

/** HOST or HOST:PORT of a URL with a port of its own. */
export function checkHost(text: string, example: string): void {
  if (text === "") throw new Fault("names no host", `write it like ${example}`);
  if (text.split(":").length > 2 && !text.startsWith("[")) {
    throw new Fault("has an IPv6 address without brackets", "write it like https://[2001:db8::1]/FILE");
  }
  checkHostPort(/:[0-9]*$/.test(text) && !text.endsWith("]") ? text : `${text}:1`, 1, example);
}

function checkQuery(query: string): void {
  for (const pair of query.split("&")) {
    const [, name, value] = /^([a-z_]{1,32})=([A-Za-z0-9._~-]{1,128})$/.exec(pair) ?? [];
    if (!name) {
      throw new Fault("has a malformed query", "write it like ?key=PUBLICKEY&priority=1, plain letters and digits");
    }
    if (name === "key" && !/^[0-9a-f]{64}$/i.test(value!)) {
      throw new Fault("pins a key that is not 64 hex digits", "write the peer's public key, or leave out key=");
    }
  }
}

function uriKind(noun: string, schemes: string[], lowestPort: number, example: string): Kind {
  return kind(
    noun,
    `${noun}, such as ${example}`,
    // A % only before the link of a link-local address: nothing below lets it pass elsewhere.
    /[A-Za-z0-9._~:/?&=@%[\]-]/,
    "^[a-z]+://[A-Za-z0-9._~:/?&=@%\\[\\]-]+$",
    (text) => {
      const found = /^([A-Za-z]+):\/\/([^?]*)(?:\?(.*))?$/.exec(text);
      if (!found) throw new Fault(`is not ${noun}: it has no scheme`, `write it like ${example}`);
      const [, scheme, rest, query] = found;
      if (!schemes.includes(scheme!)) {
        throw new Fault(
          `has the scheme ${scheme}://, which is none for ${noun}`,
          `use one of ${schemes.map((s) => `${s}://`).join(" ")}`,
        );
      }
      if (query !== undefined) checkQuery(query);
      if (scheme === "unix") {
        if (!/^\/[A-Za-z0-9_.+/-]+$/.test(rest!) || /(^|\/)\.\.?(\/|$)/.test(rest!)) {
          throw new Fault("has no absolute socket path", "write it like unix:///run/peer.sock");
        }
      } else if (scheme!.startsWith("socks")) {
        const [, proxy, target] = /^(?:[A-Za-z0-9._~-]+:[A-Za-z0-9._~-]+@)?([^/@]+)\/([^/@]+)$/.exec(rest!) ?? [];
        if (!proxy || !target) {
          throw new Fault(
            "does not say PROXY:PORT/HOST:PORT",
            `write it like ${scheme}://127.0.0.1:9050/peer.example.net:443`,
          );
        }
        checkHostPort(proxy, 1, example);
        checkHostPort(target, 1, example);
      } else {
        const [, authority, path] = /^([^/]*)(\/.*)?$/.exec(rest!)!;
        if (path && (!scheme!.startsWith("ws") || !/^[A-Za-z0-9_.~/-]+$/.test(path))) {
          throw new Fault("has something after HOST:PORT", `write it like ${example}`);
        }
        checkHostPort(authority!, lowestPort, example, true);
      }
      return text;
    },
  );
}

/** `overlay.peers[]` */
export const peerUri = uriKind("a peer to dial", DIAL, 1, EXAMPLE.peer);
/** `overlay.listen[]`; port 0 lets the daemon choose. */
export const listenUri = uriKind("an address to listen on", LISTEN, 0, EXAMPLE.listen);
