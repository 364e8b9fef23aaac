// systemd's units as comparable lines.

// Units that come and go by themselves: what timers, sessions and D-Bus start, and what the kernel lists.
const VOLATILE = new RegExp(
  [
    "\\.(device|scope|slice|swap)$",
    "^(run-|dev-|session-|user@|user-runtime-dir@)",
    "^(apt-daily|apt-daily-upgrade|dpkg-db-backup|e2scrub_all|e2scrub_reap|fstrim|logrotate|man-db|motd-news)\\.service$",
    "^systemd-(tmpfiles-clean|hostnamed|localed|timedated|random-seed|update-utmp|update-utmp-runlevel)\\.service$",
    "^systemd-(journal-flush|journald@.*|ask-password-.*|battery-check|bsod)\\.service$",
  ].join("|"),
);

/** "NAME STATE" for each unit file; generated and transient ones of volatile kinds are left out. */
export function unitFileLines(lines: readonly string[]): string[] {
  return lines.map((line) => line.split(/\s+/)).filter(([name]) => !VOLATILE.test(name!)).map(([name, state]) =>
    `${name} ${state}`
  );
}

/**
 * "NAME LOAD ACTIVE SUB" for each unit that is not idle. A unit that is inactive is the same as one that systemd has
 * never heard of or has already forgotten; what a timer, path or socket waits for changes by itself.
 */
export function unitLines(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [name, load, active, sub] = line.split(/\s+/) as [string, string, string, string];
    if (VOLATILE.test(name) || active === "inactive") return [];
    return [`${name} ${load} ${active}${/\.(timer|path|socket)$/.test(name) ? "" : ` ${sub}`}`];
  });
}
