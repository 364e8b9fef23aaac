/** Messages of both daemons, and what they mean. Both log everything at one priority, so that only the words tell. Pure. */

export interface Meaning {
  pattern: RegExp;
  /** In plain words, with what to do; `undefined`: nothing that matters, or what another check sees as it is now. */
  means?: string;
}

/** tayga 0.9.2, by its source. */
const TAYGA: Meaning[] = [
  {
    pattern: /Unable to attach tun device (\S+), aborting: Device or resource busy/,
    means: "another process has tayga's device open: `ps -C tayga` shows it",
  },
  { pattern: /Unable to attach tun device/, means: "tayga did not get its device" },
  { pattern: /Unable to open \/dev\/net\/tun/, means: "the kernel's TUN driver is missing: `modprobe tun`" },
  {
    pattern: /Unable to (open|rename) .*dynamic\.map.*No space left/,
    means: "the disk is full: tayga forgets at its next restart who had which address",
  },
  {
    pattern: /Unable to (open|rename) .*dynamic\.map/,
    means: "tayga can not keep its list of addresses: after a restart clients get others",
  },
  { pattern: /error writing packet to tun device/, means: "tayga's device was down, or took a packet for wrong" },
  { pattern: /(received error when reading|short read) from tun device/, means: "tayga's device went away under it" },
  {
    pattern: /Unknown directive|Incorrect number of arguments|(conflicts|overlaps) with earlier definition|^Error:/,
    means: "tayga refuses its config: the line says where",
  },
  { pattern: /Unable to allocate/, means: "the machine is out of memory" },
  { pattern: /dated in the future/, means: "the clock was ahead when tayga last wrote its list, or is behind now" },
  // Left over from another pool or prefix; packets that nobody translates.
  { pattern: /^Ignoring (map|duplicate|malformed|oversized)|^[Dd]ropping (unknown proto|oversized)|^no mtu in/ },
  { pattern: /^got error .* from signalfd|^exiting on signal/ },
];

/** yggdrasil 0.3.16, 0.4.7 and 0.5.12, by their sources. */
const YGGDRASIL: Meaning[] = [
  // Connections as they are now are the check overlay-peers' matter.
  { pattern: /incompatible version|^(Disconnected|Connected) /i },
  { pattern: /^(Link handler|Failed to (connect|dial)|Failed to create (in|out)bound)|dial tcp|i\/o timeout/ },
  {
    pattern: /Failed to start listener .*address already in use/,
    means: "the port of overlay.listen is taken by another program (`ss -ltnp`): nobody can connect to this node by it",
  },
  {
    pattern: /Failed to start listener .*permission denied/,
    means: "user yggdrasil may not listen on a port below 1024: take a higher one in overlay.listen",
  },
  { pattern: /Failed to start listener|Invalid listener URI/, means: "an entry of overlay.listen does not work" },
  {
    pattern: /Admin socket .*in use by another process|Admin socket failed to listen|was not cleaned up/,
    means: "the daemon has no control socket: yggdrasilctl, and so crxn, cannot ask it",
  },
  {
    pattern: /An error occurred starting TUN\/TAP|[Ff]ailed to create TUN|Unable to (bring|set) up/,
    means: "the daemon has no device: no packet passes",
  },
  { pattern: /Failed to set MTU|failed to set link MTU/, means: "the device kept another MTU than the daemon wants" },
  {
    pattern: /failed to add address to link/,
    means: "the daemon's own address is on its device already: a restart takes it off first",
  },
  {
    pattern: /(reading|write error|writer due).*\bTUN\b|TUN.*(reading|write error)/,
    means: "the daemon's device went away under it: restart it",
  },
  {
    pattern: /AllowedPublicKeys|AllowedEncryptionPublicKeys/,
    means: "a node was turned away, for its key is not in AllowedPublicKeys",
  },
  { pattern: /does not match pinned keys/, means: "a peer has another key than `?key=` in overlay.peers says" },
  {
    pattern: /no private key supplied|private key .*(incorrect length|must be ed25519)|x509: signature/,
    means: "the PrivateKey in the daemon's config is no key",
  },
  {
    pattern: /Error adding (CKR|routed|remote|local)/,
    means: "an entry of TunnelRouting is not understood, and not used",
  },
  { pattern: /^panic:|^fatal error:|^goroutine \d+/, means: "the daemon crashed" },
  { pattern: /multicast/i },
  { pattern: /unsafe permissions|Interface MTU .* adjusted/ },
];

const SUSPICIOUS =
  /\b(errors?|fail(ed|s|ure)?|unable|cannot|can't|could not|couldn't|refused|denied|panic|fatal|aborting|aborted|invalid|timed? ?out|no space left|no such|out of memory|killed)\b/i;

/** Without yggdrasil's own date. */
export const withoutDate = (message: string): string => message.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, "");

/** What a line means: undefined when it is no complaint; `means` is missing for one that nobody has explained yet. */
export function meaningOf(unit: string, message: string, priority: number): { means?: string } | undefined {
  const text = withoutDate(message);
  const words = /^tayga/.test(unit) ? TAYGA : /^yggdrasil/.test(unit) ? YGGDRASIL : [];
  const known = words.find((m) => m.pattern.test(text));
  if (known) return known.means === undefined ? undefined : { means: known.means };
  return priority <= 3 || SUSPICIOUS.test(text) ? {} : undefined;
}
