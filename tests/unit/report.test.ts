/** A report as a whole: every part of it without secrets. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Hider } from "../../gateway/hide.ts";
import { redact } from "../../gateway/redact.ts";
import { shareable } from "../../commands/report.ts";
import { logsOf, statusText } from "../../commands/report_data.ts";
import { type Report, reportText, withoutComments, withStrings } from "../../commands/report_text.ts";
import { type Status, statusOf } from "../../commands/status_data.ts";
import { fillNew } from "../../machine/new_file.ts";
import type { Result, Runner } from "../../machine/run.ts";
import { healthy } from "./surveys/builder.ts";

const REPORT: Report = {
  schema: "crxn.report/1",
  made: "2026-11-29T21:00:00.000Z",
  root: true,
  hidden: false,
  versions: { crxn: "0.1.0", kernel: "6.1.0", debian: "Debian 12", packages: { tayga: "0.9.2-8" } },
  config: {
    file: "/etc/crxn/crxn.yaml",
    text: "address: 10.5.0.1/32\n  peers: ['tls://h.mine.net:443?password=hunter2']",
  },
  status: "up",
  doctor: {
    healthy: false,
    findings: [{
      id: "logs",
      verdict: "warn",
      title: "t",
      found: "password hunter2",
      evidence: [{ command: "x --token hunter2", output: "```\n    # not a heading\n\x1b[2J" }],
    }],
  },
  plan: { lines: ["* write x", "    + password=hunter2"] },
  network: [{ command: "ip -br address", output: "eth0 UP 8.8.8.8/24" }],
  units: [],
  logs: ["-----BEGIN PRIVATE KEY-----", "hunter2", "-----END PRIVATE KEY-----", "all is well"].map((text) => ({
    at: "2026-11-29T20:00:00.000Z",
    unit: "yggdrasil.service",
    level: "info",
    text,
  })),
  journal: [],
};

Deno.test("shareable: every part of a report, several lines of a log together", () => {
  const text = reportText(shareable(REPORT, new Set()));
  assert(JSON.stringify(REPORT).includes("hunter2"));
  assert(!text.includes("hunter2"));
  assert(!JSON.stringify(shareable(REPORT, new Set())).includes("hunter2"));
  assert(text.includes("info: all is well"));
  assert(text.includes("8.8.8.8") && text.includes("h.mine.net"));
  const hidden = reportText(shareable(REPORT, new Set(), new Hider([], [])));
  assert(!/8\.8\.8|mine\.net/.test(hidden));
  assert(hidden.includes("tayga 0.9.2-8"));
  assertEquals(withStrings(REPORT, (t) => t), REPORT);
});

Deno.test("statusText: a note that is broken into lines is none of them", async () => {
  const input = await healthy("interface");
  const note = "the door code is hunter2 and the other one is hunter3 but never tell them to anybody at all";
  const found = `FORWARD: the rule "-m comment --comment "${note}" -j DROP" of IPv4 drops it`;
  const fault = { id: "forward-policy", title: "t", found };
  const status: Status = {
    ...statusOf(input, []),
    faults: [fault],
    lastFault: { at: "2026-11-29T21:00:00.000Z", id: fault.id, found, mended: false },
    peers: [{
      uri: "tls://u:it'shunter2@h:1",
      up: false,
      inbound: false,
      error: `token hunter2 and ${"x ".repeat(60)}`,
    }],
  };
  const text = redact(statusText(status, redact));
  assertEquals(/hunter|door|anybody/.exec(text), null, text);
  assertStringIncludes(text, "of IPv4 drops it");
  // The control: redacted only when the lines are broken it is not known any more.
  assert(/hunter|anybody/.test(redact(statusText(status, (t) => t))));
});

Deno.test("withoutComments: whatever ends a line, and what does not", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = ["a: 1 # hunter2", "# hunter2\u2028hunter2", "b: x#y  # it's \u2029hunter2", ""].join(end);
    assertEquals(withoutComments(text), "a: 1\n\nb: x#y");
  }
});

Deno.test("logsOf and reportText: as many lines as were asked for; a log that cannot be read says so", async () => {
  const entry = (i: number) =>
    JSON.stringify({ __REALTIME_TIMESTAMP: "1764450190500000", _SYSTEMD_UNIT: "x.service", MESSAGE: `line ${i}.` });
  const stdout = Array.from({ length: 1000 }, (_, i) => entry(i)).join("\n");
  const runner = (answer: Partial<Result>): Runner => ({
    run: (argv) => Promise.resolve({ argv, code: 0, stdout: "", stderr: "", ...answer }),
  });
  const logs = await logsOf(runner({ stdout }), ["x.service"], 1000);
  const text = reportText({ ...REPORT, logs });
  for (const i of [0, 500, 999]) assertStringIncludes(text, `line ${i}.`);
  // What a program said is cut as before.
  assertStringIncludes(reportText({ ...REPORT, journal: Array(500).fill("x") }), "(100 lines more)");
  const [failed] = await logsOf(runner({ code: 124 }), ["x.service"], 1000);
  assertEquals([failed?.level, failed?.text], ["error", "the log cannot be read: journalctl takes too long"]);
});

Deno.test("fillNew: what fails leaves its name free", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/report.md`;
  try {
    await assertRejects(() => fillNew(path, () => Promise.reject(new Error("no"))), Error, "no");
    await fillNew(path, () => Promise.resolve("text"));
    assertEquals(await Deno.readTextFile(path), "text");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    await assertRejects(() => fillNew(path, () => Promise.resolve("other")), Error, "exists already");
    assertEquals(await Deno.readTextFile(path), "text");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("reportText: what was read stays in its block, and commands no terminal", () => {
  const text = reportText(shareable(REPORT, new Set()));
  assert(text.includes("\n    ```\n        # not a heading\n    \\x1b[2J\n"), text);
  assertEquals(text.split("\n").filter((l) => /^#/.test(l)).every((l) => /^# crxn report|^## /.test(l)), true);
});
