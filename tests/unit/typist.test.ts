import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Output, run, type RunOptions } from "../rig/process.ts";
import { Place } from "../rig/place.ts";
import { Typist } from "../rig/typist.ts";

// Who types in the tests: an answer comes behind its question, as on a person's screen, and how it ended counts.

class Host extends Place {
  protected override execute(argv: readonly string[], options: RunOptions): Promise<Output> {
    return run(argv, options);
  }
}

const asks = (question: string, name: string) => `printf '${question}'; read ${name} || echo 'the end'; `;

Deno.test("Typist: each answer waits for its question; a question without an answer gets the end of the input", async () => {
  const typist = new Typist(new Host("host", ""));
  assertEquals(
    await typist.ends(`${asks("Answer [x]: ", "a")}sleep 1; ${asks("Do it? [y/N] ", "b")}echo $a, $b; exit 3`, [
      "1",
      "y",
    ]),
    { code: 3, text: "Answer [x]: 1\nDo it? [y/N] y\n1, y\n" },
  );
  const { text } = await typist.ends(asks("Answer: ", "a") + asks("Write it? [y/N] ", "b"), ["1"]);
  assertEquals(text, "Answer: 1\nWrite it? [y/N] the end\n");
  // Answers that nobody asks for are not typed.
  assertEquals(await typist.ends("echo hello", ["1", "2"]), { code: 0, text: "hello\n" });
});

Deno.test("Typist: a command that ends otherwise than expected is an error, with all that it showed", async () => {
  const typist = new Typist(new Host("host", ""));
  const { message } = await assertRejects(() => typist.types("echo hello; exit 1", { ends: /hello/ }), Error);
  assertStringIncludes(message, "ended with 1, not 0:\nhello");
  assertEquals(await typist.types("echo hello; exit 1", { exit: 1 }), "hello\n");
  await assertRejects(() => typist.types("echo hello", { exit: 1 }), Error, "ended with 0, not 1");
});
