import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Exit } from "../../gateway/errors.ts";
import { VERSION } from "../../commands/version.ts";
import { placeFiles } from "../../machine/place.ts";
import { TODAY } from "./keys.ts";
import { crxn } from "./said.ts";

async function withConfig(fn: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(
    file,
    "address: 10.5.0.1/32\nprefix: 2a04:5b80:300:4::/96\noverlay: {type: interface, interface: wg0, routes: [{to: 10.0.0.0/8}]}\n",
  );
  try {
    await fn(file);
  } finally {
    await Deno.remove(file);
  }
}

const COMMANDS = [
  "init",
  "install",
  "up",
  "down",
  "confirm",
  "status",
  "doctor",
  "logs",
  "report",
  "rehearse",
  "address",
  "completions",
];

Deno.test("crxn --help: lists every command with a line of its own", async () => {
  const { code, out } = await crxn("--help");
  assertEquals(code, 0);
  const listed = out.slice(out.indexOf("Commands:")).split("\n").flatMap((l) =>
    /^ {2}([a-z][\w-]*)/.exec(l)?.[1] ?? []
  );
  assertEquals(listed.filter((c) => c !== "help").sort(), [...COMMANDS].sort());
});

for (const name of COMMANDS) {
  Deno.test(`crxn ${name} --help: the conventions that all commands share`, async () => {
    const { code, out, err } = await crxn(name, "--help");
    assertEquals([code, err], [0, ""]);
    for (const option of ["--config <file>", "--json", "--help"]) assertStringIncludes(out, option);
    const description = out.slice(out.indexOf("\n\n") + 2, out.indexOf("Options:")).split("Arguments:")[0]!.trim();
    assertMatch(description, /^[A-Z0-9][\s\S]*\.$/);
    const line = (await crxn("--help")).out.split("\n").find((l) => l.startsWith(`  ${name} `))!;
    assertMatch(line, /[^.]$/);
    for (const [, text] of out.matchAll(/^ {2}--\S+(?: [<[]\S+[>\]])? +(\S.*)$/gm)) {
      assertMatch(text!, /^[a-z"`]/, text);
    }
  });
}

Deno.test("crxn: without a command the help, and it counts as wrong usage", async () => {
  const { code, out, err } = await crxn();
  assertEquals(code, 64);
  assertStringIncludes(out + err, "Usage: crxn");
});

Deno.test("crxn --version: version and where it is from, in one line", async () => {
  assertEquals(await crxn("--version"), { code: 0, out: `crxn ${VERSION} (from the sources)\n`, err: "" });
});

Deno.test("crxn: an unknown command or option is 64, with what was meant", async () => {
  const command = await crxn("dwon");
  assertEquals(command.code, 64);
  assertStringIncludes(command.err, "unknown command 'dwon'");
  assertStringIncludes(command.err, "Did you mean down?");
  const option = await crxn("up", "--dryrun");
  assertEquals(option.code, 64);
  assertStringIncludes(option.err, "--dry-run");
  assertEquals((await crxn("address")).code, 64);
  assertEquals((await crxn("up", "superfluous")).code, 64);
  assertEquals((await crxn("up", "--config")).code, 64);
});

const wrong = [["dwon"], ["up", "--dryrun"], ["address"], ["address", "nonsense", "--prefix", "2001:db8::/96"], []];
for (const args of [...wrong, ["up", "--config", "/nonexistent/x.yaml"]]) {
  Deno.test(`crxn ${args.join(" ")} --json: the error is one JSON document on stdout`, async () => {
    const { code, out } = await crxn(...args, "--json");
    const document = JSON.parse(out);
    assertEquals([document.schema, document.exit], ["crxn.error/1", code]);
    assertEquals(code, args[0] === "up" && args[1] === "--config" ? 78 : 64);
    assert(document.error.length > 0 && !/\n\s+at /.test(document.error), out);
  });
}

Deno.test("crxn address: both ways, several at once, and by the prefix of the config", async () => {
  assertEquals(
    (await crxn("address", "10.1.0.3", "2001:db8::a00:1", "--prefix", "2001:db8::/96")).out,
    "2001:db8::a01:3\n10.0.0.1\n",
  );
  await withConfig(async (file) => {
    assertEquals((await crxn("address", "10.1.0.3", "--config", file)).out, "2a04:5b80:300:4::a01:3\n");
    const { code, out } = await crxn("address", "10.1.0.3", "--config", file, "--json");
    assertEquals(code, 0);
    assertEquals(JSON.parse(out), {
      schema: "crxn.address/1",
      prefix: "2a04:5b80:300:4::/96",
      addresses: [{ given: "10.1.0.3", result: "2a04:5b80:300:4::a01:3" }],
    });
  });
});

Deno.test("crxn address: what is wrong is quoted, with what would be right", async () => {
  const bad = await crxn("address", "10.1.0.300", "--prefix", "2001:db8::/96");
  assertEquals(bad.code, 64);
  assertStringIncludes(bad.err, '"10.1.0.300"');
  const outside = await crxn("address", "2001:db9::1", "--prefix", "2001:db8::/96");
  assertEquals(outside.code, 64);
  assertStringIncludes(outside.err, "2001:db8::/96");
  const prefix = await crxn("address", "10.1.0.3", "--prefix", "2001:db8::/95");
  assertEquals(prefix.code, 64);
  assertStringIncludes(prefix.err, "/95");
});

Deno.test("crxn init: --example passes its own check, --schema is JSON", async () => {
  const example = await crxn("init", "--example");
  assertEquals(example.code, 0);
  const { parseConfig } = await import("../../gateway/config/parse.ts");
  assertEquals((await parseConfig(example.out, "example")).address, "10.5.0.1/32");
  assertEquals(typeof JSON.parse((await crxn("init", "--schema")).out).properties.address, "object");
});

Deno.test("crxn completions: the script of a shell; one that it does not know is 64", async () => {
  const { code, out, err } = await crxn("completions", "bash");
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "complete -F _crxn crxn\n");
  const wrong = await crxn("completions", "tcsh");
  assertEquals([wrong.code, wrong.out], [64, ""]);
  assertStringIncludes(wrong.err, "bash, zsh, fish");
});

/** Options that leave nothing to find out; of the machine only that it has lo is used. */
const ALL = [
  ...[
    "--overlay",
    "yggdrasil",
    "--address",
    "10.5.0.1",
    "--listen",
    "tls://[::]:9001",
    "--prefix",
    "2001:db8:300::/96",
  ],
  ...["--route", `10.0.0.0/8=${TODAY}`, "--uplink", "lo0", "--local", "10.7.0.0/16", "--pool", "100.64.0.0/16"],
];

Deno.test("crxn init --print: from options alone, without a terminal, it is a config and nothing is written", async () => {
  const node = ["--node", ...ALL.slice(0, 6), ...ALL.slice(8, 10), "--local", "10.7.0.0/16"];
  const { code, out, err } = await crxn("init", "--print", ...node);
  assertEquals(code, 0, err);
  const { parseConfig } = await import("../../gateway/config/parse.ts");
  assertEquals((await parseConfig(out, "printed")).address, "10.5.0.1/32");
  const document = JSON.parse((await crxn("init", "--print", "--json", ...node)).out);
  assertEquals(
    [document.schema, document.path, document.written, document.mode, document.config],
    ["crxn.init/1", null, false, "0644", out],
  );
  assertEquals(document.values.peers, { values: [], from: "found" });
  assertEquals(document.next, ["crxn init --key", "crxn up --dry-run", "crxn up"]);
  const elsewhere = JSON.parse((await crxn("init", "--print", "--json", "--config", "/x.yaml", ...node)).out);
  // The key depends on the daemon that the config names.
  assertEquals(elsewhere.next, ["init --key", "up --dry-run", "up"].map((c) => `crxn ${c} --config /x.yaml`));
});

Deno.test("crxn init: what is wrong or missing is 64, and in JSON it is named", async () => {
  const wrong = await crxn("init", "--print", ...ALL);
  assertEquals(wrong.code, 64);
  assertStringIncludes(wrong.err, '--uplink: "lo0" does not exist on this machine');
  const { code, out } = await crxn("init", "--print", "--json", "--node", "--overlay", "yggdrasil");
  assertEquals(code, 64);
  assertEquals(JSON.parse(out).missing.map((m: { option: string }) => m.option), ["--address ADDRESS/LENGTH"]);
  for (
    const [option, value] of [["--overlay", "openvpn"], ["--tunnel", "sit"], ["--interface", "a b"], ["--daemon", "x"]]
  ) {
    assertEquals((await crxn("init", "--print", option!, value!)).code, 64, option);
  }
});

Deno.test("crxn: a --target that is no IPv4 address is 64, before anything is looked at; a program would take it for an option", async () => {
  for (const command of ["up", "doctor", "report"]) {
    for (const target of ["foo", "2001:db8::1", "10.1.0.300", "-f", ""]) {
      const { code, err } = await crxn(command, `--target=${target}`, "--config", "/nonexistent/x.yaml");
      assertEquals(code, 64, `${command} ${target}`);
      assertStringIncludes(err, "is not an IPv4 address");
    }
  }
});

Deno.test("crxn up: a broken config is 78 with its place, before anything else is looked at", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "address: 10.5.0.1/32\noverlya: {}\n");
  try {
    const { code, err } = await crxn("up", "--yes", "--config", file);
    assertEquals(code, 78);
    assertStringIncludes(err, `${file}:2:1`);
    assert(!/\n\s+at /.test(err), err);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("crxn status: without a config and without a gateway it is not up, which is no error", async () => {
  const folder = await Deno.makeTempDir();
  // Not the host's: it may have a journal.
  placeFiles(folder);
  try {
    const { code, out } = await crxn("status", "--json", "--config", "/nonexistent/crxn.yaml");
    assertEquals(code, Exit.notUp);
    assertEquals(JSON.parse(out).state, "down");
  } finally {
    placeFiles("");
    await Deno.remove(folder, { recursive: true });
  }
});
