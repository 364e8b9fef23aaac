import { assertEquals } from "@std/assert";
import { fileItem, type Item, serviceItem } from "../../gateway/item.ts";
import type { Survey, UnitSeen } from "../../gateway/survey.ts";
import { takenOver } from "../../gateway/takeover.ts";
import { translatesAlike } from "../../gateway/tayga_config.ts";
import { HAND_MADE_CONF as CONF } from "./fake/configs.ts";

// What of a gateway made by hand crxn's own takes the place of.

Deno.test("translatesAlike: comments, order and the list's place do not count; everything else does", () => {
  const sorted = CONF.split("\n").toReversed().join("\n");
  assertEquals(translatesAlike(CONF, sorted), true);
  assertEquals(
    translatesAlike(CONF, CONF.replace(/data-dir.*/, "data-dir /var/db/tayga") + "ipv6-addr 2001:db8::1\n"),
    true,
  );
  assertEquals(translatesAlike(CONF, CONF.replace("2001:db8:300:4::", "2001:0db8:300:4:0:0::")), true);
  for (const other of ["map 10.5.0.2 2001:db8::2\n", "strict-frag-hdr on\n", "dynamic-pool 100.65.0.0/16\n"]) {
    assertEquals(translatesAlike(CONF, CONF + other), false, other);
  }
});

Deno.test("takenOver: the process that ran by hand, also when an up was killed meanwhile; not one that is crxn's already", () => {
  const unit = serviceItem("tayga@ygg.service", { reads: ["/etc/tayga/ygg.conf"] });
  const items = [fileItem("/etc/tayga/ygg.conf", `# crxn's\n${CONF}`), unit];
  const of = (seen: Partial<UnitSeen>, noted?: Item, modified = 5, text = CONF) =>
    takenOver(
      items,
      {
        files: { "/etc/tayga/ygg.conf": { content: text, mode: 0o644, uid: 0, gid: 0, modified } },
        units: { "tayga@ygg.service": { active: "active", since: 10, fragment: "/x/tayga@.service", ...seen } },
      } as unknown as Survey,
      { entries: new Map(noted ? [[noted.id, { item: noted, before: {} }]] : []) },
    ).length;
  assertEquals(of({}), 1);
  assertEquals(of({ active: "inactive" }), 0);
  assertEquals(of({}, undefined, 11), 0, "written since it runs");
  assertEquals(of({}, undefined, 5, `${CONF}map 10.5.0.2 2001:db8::2\n`), 0, "it does something else");
  assertEquals(of({}, unit), 0, "crxn has started it");
  assertEquals(of({}, { ...unit, since: 10 }), 1, "killed before systemd has read crxn's unit");
  assertEquals(of({ fragment: "/etc/systemd/system/tayga@ygg.service" }, { ...unit, since: 10 }), 0, "done");
  assertEquals(of({ since: 12 }, { ...unit, since: 10 }), 0, "started anew meanwhile");
});
