import { aptSources, type Debian } from "./images.ts";

/** What sets one machine apart from its image. */
export interface Furnishing {
  name: string;
  debian: Debian;
  /** Address of the Debian mirror; without it apt's sources stay as the image has them. */
  mirror?: string;
  /** `ip` commands that configure the uplink at every boot. */
  network?: readonly string[];
  /** The devices that those commands have to wait for, because the kernel finds them while it boots. */
  devices?: readonly string[];
  /** File systems to mount, as in /etc/fstab; without it this is a container. */
  fstab?: readonly string[];
}

/** Writes a machine's own files into its root directory, before its first boot. */
export async function furnish(root: string, furnishing: Furnishing): Promise<void> {
  const { name, debian, mirror, network, devices = [], fstab } = furnishing;
  const files: Record<string, string> = {
    "etc/hostname": `${name}\n`,
    "etc/hosts": `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost ip6-localhost\n`,
    "etc/resolv.conf": "# the rig has no name server\n",
    // An empty id would make systemd believe in a first boot and enable every unit there is.
    "etc/machine-id": `${crypto.randomUUID().replaceAll("-", "")}\n`,
  };
  if (fstab !== undefined) files["etc/fstab"] = fstab.join("\n") + "\n";
  else {
    // In a container only /proc/sys/net is writable, and the unit would be skipped: sysctl.d must count, as on any Debian.
    files["etc/systemd/system/systemd-sysctl.service.d/rig.conf"] =
      "[Unit]\nConditionPathIsReadWrite=\nConditionPathIsReadWrite=/proc/sys/net\n";
  }
  if (mirror !== undefined) {
    files["etc/apt/sources.list"] = aptSources(debian, mirror).join("\n") + "\n";
    files["etc/apt/apt.conf.d/90rig"] = 'Acquire::Languages "none";\n';
  }
  if (network !== undefined) files["etc/systemd/system/rig-network.service"] = networkUnit(network, devices);
  for (const [path, text] of Object.entries(files)) {
    const file = `${root}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  // With this directory the journal outlives a reboot (journald.conf(5), Storage=auto).
  await Deno.mkdir(`${root}/var/log/journal`, { recursive: true });
  if (network === undefined) return;
  const wants = `${root}/etc/systemd/system/network-online.target.wants`;
  const boot = `${root}/etc/systemd/system/multi-user.target.wants`;
  for (const directory of [wants, boot]) {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.symlink("../rig-network.service", `${directory}/rig-network.service`);
  }
}

/** What ifupdown would be on another machine: it is done before anything that waits for the network. */
function networkUnit(commands: readonly string[], devices: readonly string[]): string {
  const units = devices.map((device) => `sys-subsystem-net-devices-${device}.device`).join(" ");
  return [
    "[Unit]",
    "Description=Uplink of this machine",
    "DefaultDependencies=no",
    "After=systemd-sysctl.service",
    ...(units === "" ? [] : [`Wants=${units}`, `After=${units}`]),
    "Wants=network.target",
    "Before=network.target network-online.target shutdown.target",
    "Conflicts=shutdown.target",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    ...commands.map((command) => `ExecStart=/usr/sbin/ip ${command}`),
    "",
  ].join("\n");
}
