import { type Fault, FOLLOWED, foreign, own } from "../fault.ts";

const TAYGA = "tayga@ygg.service";
const UNIT = `/etc/systemd/system/${TAYGA}`;
const translator = { id: "translator-service", touches: ["translator"] } as const;

/** Units and the programs that they run. */
export const SERVICE_FAULTS: Fault[] = [
  own({ ...translator, name: "tayga stopped", breaks: "systemctl stop tayga@ygg", hop: "translator" }),
  own({ ...translator, name: "tayga disabled", breaks: "systemctl -q disable tayga@ygg" }),
  own({
    ...translator,
    name: "tayga frozen by SIGSTOP",
    breaks: "kill -STOP $(systemctl show -P MainPID tayga@ygg)",
    undoes: "kill -CONT $(systemctl show -P MainPID tayga@ygg)",
    hop: "translator",
  }),
  own({
    ...translator,
    name: "tayga frozen by systemctl freeze",
    breaks: "systemctl freeze tayga@ygg",
    undoes: "systemctl thaw tayga@ygg",
    hop: "translator",
  }),
  own({
    ...translator,
    name: "tayga's unit masked",
    breaks: `systemctl stop tayga@ygg; ln -sf /dev/null ${UNIT}; systemctl daemon-reload`,
    hop: "translator",
  }),
  own({
    ...translator,
    name: "tayga's unit deleted",
    breaks: `systemctl stop tayga@ygg; rm ${UNIT}; systemctl daemon-reload`,
    hop: "translator",
  }),
  foreign({
    ...translator,
    name: "a drop-in that breaks tayga's unit",
    breaks:
      `mkdir -p ${UNIT}.d; printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/tayga-of-mine\\n' > ${UNIT}.d/override.conf
      systemctl daemon-reload; systemctl restart tayga@ygg || true`,
    undoes: `rm -r ${UNIT}.d; systemctl daemon-reload; systemctl restart tayga@ygg`,
    hop: "translator",
  }),
  own({
    ...translator,
    name: "the firewall's unit disabled",
    breaks: "systemctl -q disable crxn-firewall",
    touches: ["firewall-unit"],
  }),
  own({
    id: "overlay-service",
    name: "the overlay's unit disabled",
    breaks: "systemctl -q disable crxn-overlay",
    touches: ["overlay-unit"],
  }),
  own({
    id: "overlay-service",
    name: "the link's follower stopped",
    breaks: "systemctl stop crxn-link",
    touches: ["follower"],
  }),
  own({
    id: "overlay-service",
    name: "the link's follower disabled",
    breaks: "systemctl -q disable crxn-link",
    touches: ["follower"],
  }),
  own({
    id: "overlay-service",
    name: "the link down and up, with nobody to follow it",
    breaks: "systemctl stop crxn-link; ip link set ovl0 down; ip link set ovl0 up",
    undoes: FOLLOWED,
    hop: "overlay",
    touches: ["follower", "overlay-link", "overlay-route"],
  }),
];
