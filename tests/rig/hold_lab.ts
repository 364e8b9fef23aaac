// Holds a lab with a machine and everything else in it until it is killed; says the run's id when all of it is there.
// The rig's own test kills it.
import { Lab } from "./lab.ts";

if (import.meta.main) {
  const lab = await Lab.create();
  const net = await lab.internet();
  await net.client();
  const machine = await lab.machine("gw", { debian: "bookworm", uplink: net, ra: true });
  await lab.overlayHost(machine, "ovl0");
  console.log(`${lab.id} ${lab.reaper.pid}`);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
