/** May root start what lies at a path for user yggdrasil, in the sandbox of Debian's yggdrasil.service? Pure. */

/** A folder or file on the way to a path, symbolic links followed one by one. */
export interface Visited {
  path: string;
  type: "folder" | "file" | "other" | "missing";
  mode: number;
  uid: number;
  gid: number;
}

export interface Fault {
  /** A whole sentence. */
  why: string;
  remedy: string;
}

/** ProtectHome=true hides these (systemd.exec(5)). */
const HIDDEN = ["/root", "/home", "/run/user"];

const COPY = "Copy it, for example to /usr/local/sbin, with `install -o root -g root -m 0755`, and name that path.";

/** @param group id of group yggdrasil, once there is one */
export function runFault(trail: Visited[], group?: number): Fault | undefined {
  const [end] = trail.slice(-1);
  if (!end || end.type === "missing") {
    return {
      why: `there is no ${end?.path ?? "such file"} on this machine.`,
      remedy: "Put it there, or leave overlay.daemon out to use Debian's.",
    };
  }
  const hidden = HIDDEN.find((folder) => trail.some(({ path }) => path === folder));
  if (hidden) {
    return {
      why: `${end.path} cannot be run: yggdrasil.service hides ${hidden} from its daemon (ProtectHome).`,
      remedy: COPY,
    };
  }
  if (end.type !== "file") return { why: `${end.path} is no file.`, remedy: "Name the program itself." };
  if ((end.mode & 0o111) === 0) {
    return { why: `${end.path} is not executable.`, remedy: `\`chmod 0755 ${end.path}\`.` };
  }
  return writableFault(trail) ?? reachFault(trail, group);
}

/** What others than root may change they could have run with the right to make devices and routes (CAP_NET_ADMIN). */
export function writableFault(trail: Visited[]): Fault | undefined {
  const open = trail.find(({ type, mode, uid, gid }) =>
    type !== "missing" && (uid !== 0 || (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0))
  );
  if (!open) return undefined;
  const { path, mode, uid, gid } = open;
  const who = uid !== 0 ? `user ${uid}, its owner,` : (mode & 0o002) !== 0 ? "everybody" : `group ${gid}`;
  const [end] = trail.slice(-1);
  return {
    why: `${who} may write ${path}, and so put something else in the place of ${end!.path}.`,
    remedy: open === end || uid === 0
      ? `\`chown root:root ${path}; chmod go-w ${path}\`, or take a path that only root can write.`
      : COPY,
  };
}

/** Whether user yggdrasil, who belongs to its own group only, can get there. */
export function reachFault(trail: Visited[], group?: number): Fault | undefined {
  const closed = trail.find(({ type, mode, gid }) =>
    type !== "missing" && (mode & (gid === group ? 0o010 : 0o001)) === 0
  );
  if (!closed) return undefined;
  const what = closed.type === "folder" ? "enter" : "run";
  return {
    why: `user yggdrasil may not ${what} ${closed.path}.`,
    remedy: `\`chmod o+x ${closed.path}\`, or take another path.`,
  };
}
