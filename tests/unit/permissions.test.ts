import { assert, assertEquals } from "@std/assert";
import { Program } from "../../gateway/action.ts";
import { Path } from "../../gateway/names.ts";
import { ENVIRONMENT, permissionFlags, REASONS, startable, SYSTEM, WRITABLE } from "../../gateway/permissions.ts";
import lint from "../../.ci/lint.ts";

/** Whether the compiled crxn may write there. */
const mayWrite = (path: string): boolean => Object.keys(WRITABLE).some((f) => path.startsWith(`${f}/`));

const DOCS = new URL("../../docs/security.md", import.meta.url);

/** Entries with the same reason in one line. */
function table(): string {
  const rows = (kind: string, reasons: Record<string, string>): string[] => {
    const lines: [string[], string][] = [];
    for (const [entry, reason] of Object.entries(reasons)) {
      const last = lines.at(-1);
      if (reason === "the same" || reason === last?.[1]) last![0].push(entry);
      else lines.push([[entry], reason]);
    }
    return lines.map(([entries, reason]) => `| ${kind} | ${entries.map((e) => `\`${e}\``).join(", ")} | ${reason} |`);
  };
  const programs = Object.entries(REASONS).flatMap(([name, reason]) =>
    reason === null ? [] : [[Program[name as keyof typeof Program], reason]]
  );
  return [
    "| permission | for | why |",
    "|---|---|---|",
    "| read | everything | a config may be anywhere; what is in /proc, /dev and /sys Deno keeps back nevertheless |",
    ...rows("write below", WRITABLE),
    ...rows("start", Object.fromEntries(programs)),
    ...rows("environment", ENVIRONMENT),
    ...rows("system", SYSTEM),
    "| network | everything | the two ends of a rehearsal's transfer; the config decides their addresses |",
  ].join("\n");
}

Deno.test("permissions: docs/security.md has each entry and what it is for", async () => {
  const place = /(?<=<!-- permissions -->\n)[^]*?(?=\n<!-- \/permissions -->)/;
  const docs = await Deno.readTextFile(DOCS);
  assert(place.test(docs), "docs/security.md has no place for the table");
  if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(DOCS, docs.replace(place, table));
  assertEquals(place.exec(await Deno.readTextFile(DOCS))?.[0], table(), "UPDATE=1 deno task test:unit writes it anew");
});

Deno.test("permissions: named, and none for everything but reading and a rehearsal's network", () => {
  assertEquals(permissionFlags().filter((flag) => !flag.includes("=")), ["--allow-read", "--allow-net"]);
  for (const path of [...startable(), ...Object.keys(WRITABLE)]) assert(/^\/[a-z0-9/-]+$/.test(path), path);
});

Deno.test("permissions: crxn's own files are all below folders that it may write to, the system's are not", () => {
  // Of /dev/net/tun only the existence is looked at.
  const own = Object.values(Path).flatMap((p) => typeof p === "string" && !p.startsWith("/dev/") ? [p] : []);
  assertEquals(
    own.filter((path) => !mayWrite(path) && !path.startsWith("/usr/share/") && !path.startsWith("/usr/lib/")),
    [],
  );
  for (
    const path of ["/usr/bin/ip", "/usr/sbin/x", "/usr/lib/systemd/system/x.service", "/boot/x", "/etcetera", "/etc"]
  ) {
    assert(!mayWrite(path), path);
  }
});

Deno.test("docs/security.md: two builds of a commit have one sum; .ci/run builds it once more", async () => {
  const rows = [...(await Deno.readTextFile(DOCS)).matchAll(
    /^\| `[0-9a-f]{40}` \| \d+\.\d+\.\d+ \| `([0-9a-f]{64})` \| `([0-9a-f]{64})` \|$/gm,
  )];
  assertEquals(rows.length, 1);
  assertEquals(rows[0]![1], rows[0]![2]);
});

Deno.test("lint: what is imported is named in the source", () => {
  const found = (source: string) => Deno.lint.runPlugin(lint, "x.ts", source).map((d) => d.id);
  const rule = "crxn/no-computed-import";
  assertEquals(found('await import("./x.ts"); new Map();'), []);
  for (
    const source of ["await import(x)", "import(`./${x}`)", 'import("./" + x)', "new Function(x)", "new Worker(x)"]
  ) {
    assertEquals(found(source), [rule], source);
  }
});
