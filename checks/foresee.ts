/** What `doctor` would find after an `up`, told before it: what is there on the machine and is not crxn's to change. Pure. */

import { jumpRule } from "../gateway/commands.ts";
import type { ChainItem, Item } from "../gateway/item.ts";
import { type Entry, replay } from "../gateway/journal.ts";
import { hasJump } from "../gateway/see_rules.ts";
import type { Ruleset, Survey } from "../gateway/survey.ts";
import type { Check, CheckInput, Finding } from "./check.ts";
import { runChecks } from "./run.ts";

/** Findings that fail or warn on the machine as `up` leaves it, by those checks that depend on the rest of it only. */
export function foresee(checks: readonly Check[], { blueprint, survey }: CheckInput): Finding[] {
  const early = new Set(checks.filter((c) => c.early).map((c) => c.id));
  const made: CheckInput = {
    blueprint,
    survey: asMade(blueprint.items, survey),
    journal: {
      ...replay([]),
      entries: new Map(blueprint.items.map((item): [string, Entry] => [item.id, { item, before: {} }])),
    },
    troubles: [],
  };
  return runChecks(checks, made, early).filter((f) => (f.verdict === "fail" || f.verdict === "warn") && !f.mend);
}

/** The survey with the items made, as far as the early checks look at them. Devices and what is on them stay as they are. */
function asMade(items: Item[], survey: Survey): Survey {
  const made = structuredClone(survey);
  for (const item of items) {
    switch (item.kind) {
      case "package":
        if (made.packages) made.packages[item.name] ??= "?";
        break;
      case "file":
        made.files[item.path] = { content: item.content, mode: item.mode, uid: 0, gid: 0, modified: 0 };
        break;
      case "sysctl":
        made.sysctls[item.key] = item.value;
        break;
      case "chain": {
        const ruleset = made.rules[item.family];
        if (ruleset) putIn(item, ruleset, hasJump(item, survey));
        break;
      }
      case "unwanted": {
        const unit = made.units[item.unit];
        if (unit) Object.assign(unit, { active: "inactive", enabled: "disabled" });
        break;
      }
    }
  }
  return made;
}

function putIn(item: ChainItem, ruleset: Ruleset, jumps: boolean): void {
  const table = ruleset[item.table] ??= {};
  table[item.chain] = { name: item.chain, rules: item.rules };
  const from = table[item.from] ??= { name: item.from, policy: "ACCEPT", rules: [] };
  if (!jumps) from.rules.unshift(jumpRule(item));
}
