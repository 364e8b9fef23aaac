import { Program } from "../gateway/action.ts";
import type { Blueprint } from "../gateway/blueprint.ts";
import { devicesUnder } from "../gateway/devices_under.ts";
import type { ManagersSeen } from "../gateway/host.ts";
import { defaultUplink } from "../gateway/survey.ts";
import type { Item } from "../gateway/item.ts";
import type { Check, CheckInput, Hop } from "./check.ts";
import { takenByNetworkd } from "./networkd.ts";
import { outcomeOf, type Problem } from "./problem.ts";

/** Where the setting goes that keeps networkd's hands off. */
const KEEP =
  "ManageForeignRoutes=no and ManageForeignRoutingPolicyRules=no below [Network] in /etc/systemd/networkd.conf.d/crxn.conf";

/** Programs that think that the network is theirs. */
export const networkManagers: Check = {
  id: "network-managers",
  title: "No network manager takes the gateway's routes away",
  hop: undefined,
  early: true,
  needs: [],
  looksAt:
    "Whether systemd-networkd or NetworkManager runs, and which devices they manage (networkctl, nmcli); ManageForeignRoutes= in networkd.conf.",
  why:
    "A device that a .network file matches can lose every address and route that networkd did not put there: Debian 13's takes them when it starts, Debian 12's when a reload brings the device a new file; blackhole and unreachable routes, which hang on no device, go with them. ManageForeignRoutes=no keeps routes, but not addresses, and the kernel removes an address's routes with it. networkd takes router advertisements itself and sets accept_ra to 0; with forwarding on it does so only where a file says IPv6AcceptRA=yes.",
  cure:
    `Routes: ${KEEP}, then \`systemctl restart systemd-networkd\`. A device of the gateway: \`Unmanaged=yes\` below [Link] in a .network file that comes first, or a narrower [Match] in the one that matches. NetworkManager: \`nmcli device set DEVICE managed no\`, and unmanaged-devices= in NetworkManager.conf.`,
  run: (input) => {
    const managers = input.host?.managers;
    if (!managers) {
      return { verdict: input.host ? "unknown" : "skip", found: input.host ? "systemctl does not answer" : "not read" };
    }
    const lost = takenItems(input);
    const problems = [...lostProblem(lost), ...networkdProblems(input, managers), ...managerProblems(input, managers)];
    const names = [
      ...(managers.networkd ? ["systemd-networkd"] : []),
      ...(managers.networkManager ? ["NetworkManager"] : []),
    ];
    const fine = names.length > 0 ? `${names.join(" and ")} leave the gateway alone` : "none runs";
    const hop = hopOf(lost, input);
    return { ...outcomeOf(problems, input, fine), ...(hop ? { hop } : {}) };
  },
};

/** Addresses and routes that are missing because networkd took them. */
const takenItems = (input: CheckInput): Item[] =>
  input.blueprint.items.filter((item) => takenByNetworkd(item, input) !== undefined);

const hopOf = (lost: Item[], { blueprint }: CheckInput): Hop | undefined => {
  const devices = lost.flatMap((i) => i.kind === "route" || i.kind === "address" ? devicesUnder(i) : []);
  if (blueprint.workers.some((w) => devices.includes(w.device))) return "translator";
  return devices.length > 0 ? "overlay" : undefined;
};

function lostProblem(lost: Item[]): Problem[] {
  if (lost.length === 0) return [];
  const loose = lost.every((i) => i.kind === "route" && devicesUnder(i).length === 0);
  return [{
    found: `systemd-networkd has taken away: ${lost.map((i) => i.id).join(", ")}`,
    want: "what crxn put there, and networkd kept from it",
    items: lost,
    evidence: [{ command: [Program.networkctl, "--no-pager", "list"], output: "" }],
    ...(loose ? { carries: true as const } : {}),
  }];
}

/** Devices that carry addresses and routes of the gateway; `theirs`: made by somebody else, who may manage it well. */
const devicesOf = ({ ways, workers, config }: Blueprint): string[] => [
  ...new Set([
    ...[...ways, ...workers].map((w) => w.device),
    ...(config.overlay.type === "yggdrasil" ? [config.overlay.interface] : []),
  ]),
];

function networkdProblems(input: CheckInput, { networkd }: ManagersSeen): Problem[] {
  if (!networkd) return [];
  const { blueprint, survey } = input;
  const { files, keepsRoutes } = networkd;
  const taken = devicesOf(blueprint).filter((device) => files[device] !== undefined);
  const list = {
    command: [Program.networkctl, "--no-pager", "list"],
    output: Object.entries(files).map((e) => e.join(" ")).join("\n"),
  };
  const uplink = blueprint.facts.uplink.name;
  const announced = defaultUplink(survey)?.protocol === "ra" && files[uplink] !== undefined &&
    survey.sysctls[`net/ipv6/conf/${uplink}/accept_ra`] === "0";
  return [
    ...taken.map((device): Problem => ({
      found: `systemd-networkd manages ${device} by ${
        files[device]
      }: when it starts or is reloaded it can take crxn's address${keepsRoutes ? "" : " and routes"} away`,
      want: `${device} unmanaged by networkd`,
      verdict: "warn",
      fix: [[Program.networkctl, "cat", files[device]!]],
      evidence: [list],
    })),
    ...(!keepsRoutes && Object.keys(files).length > 0
      ? [{
        found:
          "systemd-networkd runs with ManageForeignRoutes on: when it starts or is reloaded it takes crxn's blackhole and unreachable routes away",
        want: KEEP,
        verdict: "warn" as const,
        evidence: [list],
      }]
      : []),
    ...(announced
      ? [{
        found:
          `networkd has taken over router advertisements on ${uplink}; with forwarding on it does so only with IPv6AcceptRA=yes in ${
            files[uplink]
          }`,
        want: `IPv6AcceptRA=yes below [Network] in ${files[uplink]}`,
        verdict: "warn" as const,
        evidence: [list],
      }]
      : []),
  ];
}

function managerProblems({ blueprint }: CheckInput, { networkManager }: ManagersSeen): Problem[] {
  // An existing link may be NetworkManager's very own, which then has no need to fight for it.
  const own = devicesOf(blueprint).filter((d) =>
    d !== blueprint.config.overlay.interface || blueprint.nodes.length > 0
  );
  return own.filter((device) => networkManager?.[device] !== undefined).map((device) => ({
    found: `NetworkManager manages ${device} by its connection "${
      networkManager![device]
    }", and may take its addresses and routes away`,
    want: `${device} unmanaged by NetworkManager`,
    verdict: "warn" as const,
    fix: [[Program.nmcli, "device", "set", device, "managed", "no"]],
  }));
}
