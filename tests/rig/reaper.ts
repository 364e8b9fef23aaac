// Takes a run away when its test process is gone. Started by Lab as
//   setsid sh -c 'read -r word; [ "$word" = done ] || exec deno run -A reaper.ts RUN'
// with a pipe as stdin that only the test process holds: however that one dies, the pipe ends, and `read` returns.
import { remains, removeRun } from "./removal.ts";

if (import.meta.main) {
  const id = Deno.args[0] as string;
  // A program that the dead process had just started may still add something after we looked.
  for (let round = 0; round < 10; round++) {
    await removeRun(id);
    await new Promise((resolve) => setTimeout(resolve, 200));
    if ((await remains(id)).length === 0) break;
  }
}
