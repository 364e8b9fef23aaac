/**
 * One reader for each type of text in the config. Each is a whitelist: what passes can be written into a unit file, an
 * iptables-restore line, a tayga config or HJSON and cannot mean anything else there.
 */
import { Fault } from "./problem.ts";

/** A type of text: what it is called, how to write it, and its reader, which gives canonical text or throws a Fault. */
export interface Kind {
  noun: string;
  write: string;
  /** ECMAScript, for editors (JSON Schema); looser than `read`, never stricter. */
  pattern: string;
  read(text: string): string;
}

/** Texts of a kind that are remembered: shape and meaning of a config are judged one after the other. */
const MOST = 10_000;

/** Makes a kind; the characters are checked first, so that the message can name the one that is wrong. */
export function kind(
  noun: string,
  write: string,
  allowed: RegExp,
  pattern: string,
  read: (text: string) => string,
): Kind {
  const good = new RegExp(`^${allowed.source}+$`, allowed.flags);
  const known = new Map<string, string>();
  return {
    noun,
    write,
    pattern,
    read(text) {
      const before = known.get(text);
      if (before !== undefined) return before;
      if (good.test(text)) {
        const canonical = read(text);
        if (known.size < MOST) known.set(text, canonical);
        return canonical;
      }
      if (text === "") throw new Fault("is empty", `write ${write}`);
      const chars = [...text];
      const at = chars.findIndex((char) => !allowed.test(char));
      const name = charName(chars[at]!);
      throw new Fault(`is not ${noun}: character ${at + 1} is ${name}, which is not allowed`, `write ${write}`);
    },
  };
}

function charName(char: string): string {
  if (char === " ") return "a space";
  if (/^[\x21-\x7e]$/.test(char)) return `'${char}'`;
  return `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A service of this machine, by its protocol and port. */
export const service = kind(
  "a service",
  "a protocol and a port, such as tcp/22 or udp/53",
  /[a-z0-9/]/,
  "^(tcp|udp)/[1-9][0-9]{0,4}$",
  (text) => {
    const [, protocol, port] = /^(tcp|udp)\/([1-9][0-9]{0,4})$/.exec(text) ?? [];
    if (!protocol || Number(port) > 65535) {
      throw new Fault("is not a service", "write a protocol and a port, such as tcp/22 or udp/53");
    }
    return text;
  },
);

/** A network device: 1 to 15 characters (IFNAMSIZ), no name that the kernel or sysctl keeps for itself. */
export const interfaceName = kind(
  "an interface name",
  "letters, digits, '_', '.' or '-', at most 15 of them, such as eth0",
  /[A-Za-z0-9_.-]/,
  "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$",
  (text) => {
    if (text.length > 15) {
      throw new Fault(`is too long for an interface: ${text.length} characters`, "use at most 15 characters");
    }
    if (/^[-.]/.test(text)) {
      throw new Fault(`is not an interface name: it starts with '${text[0]}'`, "start with a letter or digit");
    }
    if (["all", "default", "lo"].includes(text)) {
      throw new Fault("is a name that the kernel keeps for itself", "name a real interface, such as eth0");
    }
    return text;
  },
);

/** The name behind "tayga@" and "nat64-": the device must fit 15 characters. */
export const instanceName = kind(
  "an instance name",
  "lower-case letters, digits or '-', at most 9 of them, such as ygg",
  /[a-z0-9-]/,
  "^[a-z0-9]([a-z0-9-]{0,7}[a-z0-9])?$",
  (text) => {
    if (text.length > 9) {
      const device = `nat64-${text}`;
      throw new Fault(
        `is too long: its device ${device} would have ${device.length} characters, and the kernel allows 15`,
        "use at most 9 characters",
      );
    }
    if (/^-|-$/.test(text)) {
      throw new Fault("is not an instance name: it starts or ends with '-'", "start and end with a letter or digit");
    }
    return text;
  },
);

const KEY_HELP = "the far node prints it as `Public key` in `yggdrasilctl getSelf`";

/** A yggdrasil node's ed25519 public key: 64 hex digits, given in lower case. */
export const publicKey = kind(
  "a yggdrasil public key",
  `64 hex digits: ${KEY_HELP}`,
  // Wide, so that the reader below can say what is wrong with a key.
  /[\x21-\x7e]/,
  "^[0-9A-Fa-f]{64}$",
  (text) => {
    const at = text.search(/[^0-9a-fA-F]/);
    if (at >= 0) {
      throw new Fault(`is not a yggdrasil public key: character ${at + 1} is '${text[at]}', not a hex digit`, KEY_HELP);
    }
    if (text.length === 128) {
      throw new Fault("is not a yggdrasil public key: 128 hex digits are a private key", `never share it; ${KEY_HELP}`);
    }
    if (text.length !== 64) {
      throw new Fault(`is not a yggdrasil public key: it has ${text.length} hex digits instead of 64`, KEY_HELP);
    }
    if (/^0+$/.test(text)) throw new Fault("is nobody's public key: all digits are zero", KEY_HELP);
    return text.toLowerCase();
  },
);

const SUM_HELP = "64 hex digits, as `sha256sum FILE` prints them";

/** A SHA-256 sum: 64 hex digits, given in lower case. */
export const sha256Sum = kind(
  "a SHA-256 sum",
  SUM_HELP,
  // Wide, so that the reader below can say what is wrong with a sum.
  /[\x21-\x7e]/,
  "^[0-9A-Fa-f]{64}$",
  (text) => {
    const at = text.search(/[^0-9a-fA-F]/);
    if (at >= 0) {
      throw new Fault(
        `is not a SHA-256 sum: character ${at + 1} is '${text[at]}', not a hex digit`,
        `write ${SUM_HELP}`,
      );
    }
    if (text.length !== 64) {
      const other = { 32: ": that is MD5", 40: ": that is SHA-1", 96: ": that is SHA-384", 128: ": that is SHA-512" };
      const hint = other[text.length as keyof typeof other] ?? "";
      throw new Fault(
        `is not a SHA-256 sum: it has ${text.length} hex digits instead of 64${hint}`,
        `write ${SUM_HELP}`,
      );
    }
    return text.toLowerCase();
  },
);

/** A program's absolute path. */
export const daemonPath = kind(
  "the path of a program",
  "an absolute path, such as /usr/sbin/yggdrasil",
  /[A-Za-z0-9_.+/-]/,
  "^/[A-Za-z0-9_.+/-]+$",
  (text) => {
    if (!text.startsWith("/")) throw new Fault("is not an absolute path", "start it with /, as in /usr/sbin/yggdrasil");
    if (text.length > 255 || /\/\/|\/$|\/\.\.?(\/|$)/.test(text)) {
      throw new Fault("is not a plain path", "write it without '//', '.', '..', or a '/' at the end");
    }
    return text;
  },
);
