import { assertEquals } from "@std/assert";
import { differences, snapshot } from "../unit/fake/snapshot.ts";
import { GATEWAY, start, test } from "./start.ts";

// What is on the disk by then is put into force by a reboot: `up` must not take that for what was there before it.

for (const killed of ["up", "down"] as const) {
  test(`${killed}, killed at any moment, and a reboot: up, and down, and all is as it was`, async () => {
    const wrong: string[] = [];
    for (let at = 0;; at++) {
      const { machine, play } = start();
      using _ = machine;
      await machine.reboot();
      const first = snapshot(machine);
      if (killed === "down") await play.up(GATEWAY);
      if (!await (killed === "up" ? play.killedUp(GATEWAY, at) : play.killedDown(at))) break;
      await machine.reboot();
      await play.up(GATEWAY);
      await play.down();
      const differing = differences(first, snapshot(machine));
      if (differing.length > 0) wrong.push(`${at}: ${differing[0]}`);
    }
    assertEquals(wrong, []);
  });
}
