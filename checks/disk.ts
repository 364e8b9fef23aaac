import { Program } from "../gateway/action.ts";
import type { DiskSeen } from "../gateway/host.ts";
import type { Check, Evidence } from "./check.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** Bytes below which a file system is full for what a gateway writes, and below which that is near. */
const FULL = 1 << 20;
const NEARLY_FULL = 20 << 20;

/** What stops when a folder takes no more. */
const CONSEQUENCES: Record<string, string> = {
  "/etc": "`crxn up` and `--fix` can write no config",
  "/var/lib/crxn": "crxn's journal can note nothing, so `crxn up` and `crxn down` refuse to work",
  "/var/lib/tayga": "tayga forgets at its next restart who had which address, and may not start",
  "/var/log": "no daemon's log is kept",
  "/run": "no daemon can make its socket, and systemd cannot start units",
};

/** Room for what the gateway writes. */
export const disk: Check = {
  id: "disk",
  title: "The disks can be written to",
  hop: undefined,
  early: true,
  needs: [],
  looksAt:
    "Free bytes and inodes, and whether it is read-only, of the file systems that hold /etc, /var/lib/crxn, /var/lib/tayga, /var/log and /run.",
  why:
    "Packets flow on with a full disk, but daemons restart badly, logs are lost, and nothing can be mended. After an error on the disk the kernel makes a file system read-only.",
  cure:
    "`du -xh --max-depth=2 / | sort -h | tail` shows what is large, `journalctl --vacuum-size=100M` and `apt-get clean` free the most usual; `dmesg` says why one was made read-only, `mount -o remount,rw PATH` tries again.",
  run: (input) => {
    const { host } = input;
    if (!host?.disks) return { verdict: host ? "unknown" : "skip", found: host ? "df does not answer" : "not read" };
    const problems = [...new Set(host.disks.map((d) => d.mount))].flatMap((mount): Problem[] => {
      const those = host.disks!.filter((d) => d.mount === mount);
      const trouble = troubleOf(those[0]!);
      if (!trouble) return [];
      const consequences = those.flatMap(({ folder }) => CONSEQUENCES[folder] ?? []).join("; ");
      return [{
        found: `${mount} ${trouble.what}: ${consequences}`,
        want: trouble.want,
        ...(trouble.soon ? { verdict: "warn" as const } : {}),
        fix: [trouble.fix],
        evidence: [evidence(those)],
        carries: true,
      }];
    });
    return outcomeOf(problems, input);
  },
};

interface DiskTrouble {
  what: string;
  want: string;
  fix: string[];
  soon?: true;
}

function troubleOf({ mount, size, free, inodes, freeInodes, readOnly }: DiskSeen): DiskTrouble | undefined {
  if (readOnly) {
    return {
      what: "is read-only",
      want: "a file system that can be written to",
      fix: ["/usr/bin/mount", "-o", "remount,rw", mount],
    };
  }
  const look = ["/usr/bin/du", "-xh", "--max-depth=2", mount];
  const room = (what: string, soon?: true) => ({ what, want: "free space", fix: look, ...(soon ? { soon } : {}) });
  if (size > 0 && free < FULL) return room(`is full (${bytes(free)} of ${bytes(size)} left)`);
  // Some file systems count no inodes.
  if (inodes > 0 && freeInodes === 0) return room(`has no inode left of ${inodes}: no file can be made`);
  if (size > NEARLY_FULL && free < NEARLY_FULL) {
    return room(`is nearly full (${bytes(free)} of ${bytes(size)} left)`, true);
  }
  if (inodes > 0 && freeInodes < Math.min(100, inodes / 100)) {
    return room(`has only ${freeInodes} inodes left of ${inodes}`, true);
  }
  return undefined;
}

const bytes = (n: number): string =>
  n >= 1 << 30
    ? `${(n / 2 ** 30).toFixed(1)} GiB`
    : n >= 1 << 20
    ? `${(n / 2 ** 20).toFixed(0)} MiB`
    : `${Math.floor(n / 1024)} KiB`;

const evidence = (disks: DiskSeen[]): Evidence => ({
  command: [Program.df, "-B1", "--output=target,avail,iavail,file", ...disks.map((d) => d.folder)],
  output: disks.map((d) => `${d.mount} ${d.free} ${d.freeInodes} ${d.folder}${d.readOnly ? " (ro)" : ""}`).join("\n"),
});
