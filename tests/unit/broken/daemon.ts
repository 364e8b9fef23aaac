/** Configs with another daemon that nobody may fetch or run. */

import { type BrokenConfig, ygg } from "./base.ts";

const SUM = `${"c0ffee".repeat(10)}c0de`;
const FROM = "url: 'https://example.net/y'";
const URL_SUM = `${FROM}, sha256: ${SUM}`;
const fetched = (name: string, keys: string, at: string, says: string): BrokenConfig =>
  ygg(`daemon ${name}`, "tunnel: vxlan", `daemon: {${keys}}`, at, says);

export const DAEMONS: BrokenConfig[] = [
  fetched("without a sum", "url: 'https://example.net/y'", "5:3", "sha256 is missing in daemon — write 64 hex digits"),
  fetched("without a URL", `sha256: ${SUM}`, "5:3", "url is missing in daemon — write https://HOST/FILE"),
  fetched(
    "with an unknown key",
    `${URL_SUM}, mode: '0755'`,
    "5:116",
    '"mode" is not a key of overlay.daemon — remove it',
  ),
  fetched("with a short sum", `${FROM}, sha256: 00ff`, "5:50", "it has 4 hex digits instead of 64"),
  fetched("with a SHA-1 sum", `${FROM}, sha256: ${SUM.slice(24)}`, "5:50", "that is SHA-1"),
  fetched(
    "with letters in the sum",
    `${FROM}, sha256: g${SUM.slice(1)}`,
    "5:50",
    "character 1 is 'g', not a hex digit",
  ),
  fetched("with an octal sum", `${FROM}, sha256: 0123`, "5:50", "is read by YAML as a number, not a SHA-256 sum"),
  fetched("with a number as sum", `${FROM}, sha256: ${"1".repeat(64)}`, "5:50", "in quotes where YAML would read"),
  fetched("with an empty sum", `${FROM}, sha256: ''`, "5:50", '"" is empty — write 64 hex digits'),
  fetched("from an ftp server", `sha256: ${SUM}, url: ftp://example.net/y`, "5:91", "has the scheme ftp://"),
  fetched("by a bare path", `sha256: ${SUM}, url: /root/y.deb`, "5:91", "it has no scheme — write https://HOST/FILE"),
  fetched(
    "by a relative file",
    `sha256: ${SUM}, url: file://root/y.deb`,
    "5:91",
    "is not file:// and an absolute path",
  ),
  fetched(
    "with a password in it",
    `sha256: ${SUM}, url: 'https://me:secret@h/y'`,
    "5:91",
    "has a user name or password",
  ),
  fetched(
    "at a link-local address",
    `sha256: ${SUM}, url: 'http://[fe80::1%25eth0]/y'`,
    "5:91",
    "leads nowhere from here",
  ),
  fetched("with a space in the URL", `sha256: ${SUM}, url: 'https://h/a b'`, "5:91", "character 12 is a space"),
  fetched("with a quote in the URL", `sha256: ${SUM}, url: 'https://h/a"b'`, "5:91", "character 12 is '\"'"),
  fetched("with a shell in the URL", `sha256: ${SUM}, url: 'https://h/$(id)'`, "5:91", "character 11 is '$'"),
  fetched("with a line break in the URL", `sha256: ${SUM}, url: "https://h/a\\nb"`, "5:91", "character 12 is U+000A"),
  fetched("with dots in the URL", `sha256: ${SUM}, url: 'https://h/../y'`, "5:91", "is not a plain path"),
  fetched("from a folder", `sha256: ${SUM}, url: 'https://h/'`, "5:91", "names no file"),
  fetched("from nowhere", `sha256: ${SUM}, url: 'https:///y'`, "5:91", "names no host"),
  fetched("from port 0", `sha256: ${SUM}, url: 'https://h:0/y'`, "5:91", "has port 0"),
  ygg(
    "daemon as a list",
    "tunnel: vxlan",
    "daemon: [/usr/sbin/yggdrasil]",
    "5:11",
    "is a list, not a daemon — write a path",
  ),
  ygg("daemon as a number", "tunnel: vxlan", "daemon: 316", "5:11", "is read by YAML as a number, not a daemon"),
  ygg("daemon with an argument", "tunnel: vxlan", "daemon: /usr/sbin/yggdrasil -x", "5:11", "character 20 is a space"),
  ygg("daemon with a relative path", "tunnel: vxlan", "daemon: yggdrasil", "5:11", "is not an absolute path"),
];
