// Holds a lab with a virtual machine that boots until it is killed; says the run's id when QEMU and its cables are there.
// rig.test.ts kills it.
import { Lab, until } from "../rig/mod.ts";

if (import.meta.main) {
  const lab = await Lab.create();
  const net = await lab.internet();
  const machine = await lab.virtualMachine("gw", { debian: "bookworm", uplink: net });
  machine.start();
  await until("the machine's cable", 120, async () => {
    return (await net.run(["ip", "link", "show", "dev", "m-gw", "up"])).stdout === "" ? undefined : true;
  });
  console.log(lab.id);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
