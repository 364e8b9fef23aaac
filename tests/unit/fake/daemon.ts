/** A fake machine whose config names a daemon of its own. */

import { WALK } from "./configs.ts";
import { FakeMachine } from "./machine.ts";
import { Play } from "./play.ts";
import { snapshot } from "./snapshot.ts";
import { sha256 } from "../../rig/paths.ts";

export const URL = "https://example.net/yggdrasil";
export const FOLDER = "/usr/local/lib/crxn";
export const UNIT = "yggdrasil.service";

export const config = (daemon: string) =>
  WALK["yggdrasil gateway"]!.replace("tunnel: vxlan", `tunnel: vxlan\n  daemon: ${daemon}`);

export interface Scene {
  machine: FakeMachine;
  play: Play;
  /** Puts it on the web. @returns the config that names it, and where it will be */
  offer(bytes: Uint8Array, url?: string): Promise<{ yaml: string; path: string; sum: string }>;
}

export const test = (name: string, fn: (scene: Scene) => Promise<void>, packages?: string[]) =>
  Deno.test({
    name,
    ignore: Deno.uid() !== 0,
    fn: async () => {
      using machine = new FakeMachine(packages ? { packages } : {});
      machine.write("/usr/local/lib/.keep", "");
      const offer = async (bytes: Uint8Array, url = URL) => {
        machine.web.pages.set(url, bytes);
        const sum = await sha256(bytes);
        return {
          yaml: config(`{url: '${url}', sha256: ${sum}}`),
          path: `${FOLDER}/yggdrasil-${sum.slice(0, 12)}`,
          sum,
        };
      };
      await fn({ machine, play: new Play(machine), offer });
    },
  });

export const installed = (machine: FakeMachine) => {
  try {
    return [...Deno.readDirSync(machine.folder + FOLDER)].map((e) => `${FOLDER}/${e.name}`).sort();
  } catch {
    return [];
  }
};

/** Everything, /usr/local as well. */
export const whole = (machine: FakeMachine) => snapshot(machine) + installed(machine).join("\n");
