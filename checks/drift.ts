import { Program } from "../gateway/action.ts";
import type { ChainItem, FileItem } from "../gateway/item.ts";
import { Path, Unit, unitPath } from "../gateway/names.ts";
import { see } from "../gateway/see.ts";
import { hasJump } from "../gateway/see_rules.ts";
import { linkOf } from "../gateway/survey.ts";
import type { Check, CheckInput, Others } from "./check.ts";
import { driftOfRules } from "./drift_rules.ts";
import { driftOfSysctlFile } from "./drift_sysctl.ts";
import { UP } from "./fix.ts";
import { isFlushed } from "./flushed.ts";
import { alikeRules } from "./forward_policy.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf, type Problem } from "./problem.ts";
import { isBare } from "./run.ts";
import { isGone } from "./service_problems.ts";
import { staleProblems } from "./stale.ts";
import { lostUplink } from "./uplink.ts";
import { isTunnelChain, tunnelRulesBroken } from "./tunnel_routing.ts";
import { wrongSettings } from "./tunnel_section.ts";

/** Everything that is not as the config says and that no other check speaks for. */
export const drift: Check = {
  id: "drift",
  title: "Files, rules and services are as crxn.yaml says",
  hop: undefined,
  needs: [],
  looksAt:
    "Every file of crxn, word for word; the rules that guard the machine itself; services that run with older files; things in crxn's journal that the config does not want any more.",
  why: "What works now and is written down otherwise fails at the next boot, when nobody is looking.",
  cure: "`crxn up --dry-run` shows the difference as a plan, `crxn up` makes it right.",
  run: (input, others) => {
    if (isBare(input)) {
      const found = "nothing of the gateway is here: `crxn up` has not been run, or `crxn down` has";
      return outcomeOf([{ found, want: "what crxn.yaml describes", fix: [UP] }], input);
    }
    const problems = [
      ...fileProblems(input, others),
      ...guardProblems(input),
      ...staleProblems(input, notTayga(input)),
      ...leftovers(input),
    ];
    return outcomeOf([...problems, ...(problems.length > 0 ? [] : reload(input))], input);
  },
};

const notTayga = ({ blueprint }: CheckInput) => {
  const configs = blueprint.workers.map((w) => Path.taygaConfig(w.instance)) as string[];
  return (path: string) => !configs.includes(path);
};

function fileProblems(input: CheckInput, others: Others): Problem[] {
  const files = itemsOf("drift", input.blueprint).filter((i): i is FileItem => i.kind === "file");
  return files.flatMap((item) => {
    if (
      item.path === Path.yggdrasilConfig &&
      (input.survey.files[item.path] == null || others("overlay-identity").verdict !== "pass" ||
        wrongSettings(input).length > 0)
    ) return [];
    // With the uplink's name changes what is set for it at boot.
    if ([Path.sysctl, unitPath(Unit.overlay)].includes(item.path) && lostUplink(input)) return [];
    if (isGone(item.path, input)) return [];
    if (item.path === Path.sysctl && input.survey.links.length > 0) return driftOfSysctlFile(item, input);
    // What stands in its place is the mask: the check of its service says so.
    if (item.unit && input.survey.units[item.path.slice(Path.units.length + 1)]?.load === "masked") return [];
    if (item.path === Path.rules.inet || item.path === Path.rules.inet6) return driftOfRules(item, input);
    // With its services comes the reload that systemd needs after a change of units.
    const service = input.blueprint.items.filter((i) =>
      i.kind === "service" && (i.reads.includes(item.path) || item.unit)
    );
    const problems = itemProblems([item], input);
    // What these two say depends on the devices that the machine has.
    const blind = input.survey.links.length === 0 && ofDevices(item.path);
    if (blind && problems.length > 0) {
      return [{ found: `${item.path} cannot be judged: ip does not answer`, verdict: "unknown" }];
    }
    return problems.map((p) => p.items ? { ...p, items: [...p.items, ...service] } : p);
  });
}

const ofDevices = (path: string) => path === Path.sysctl || path === unitPath(Unit.overlay);

/** Chains that keep the Internet from the machine itself, and rules that accept where nothing drops any more. */
function guardProblems(input: CheckInput): Problem[] {
  const { blueprint } = input;
  const chains = blueprint.items.flatMap((i) => i.kind === "chain" && i.table === "filter" ? [i] : []);
  const forged = itemsOf("drift", blueprint).filter((i) => i.kind === "chain" && i.table === "raw");
  if (isFlushed(input)) return [];
  return [...itemProblems(forged, input), ...chains.flatMap((item) => guardProblem(item, input))];
}

function guardProblem(item: ChainItem, input: CheckInput): Problem[] {
  const { survey } = input;
  const chain = survey.rules[item.family]?.filter?.[item.chain];
  if (see(item, survey).is === "present") return [];
  if (chain && hasJump(item, survey) && alikeRules(chain.rules, item.rules)) {
    if (!chain.rules.some((r) => r.at(-1) === "ACCEPT")) {
      return item.from === "INPUT" && !isTunnelChain(item) ? itemProblems([item], input) : [];
    }
    const found = `${item.chain} accepts packets that the machine's own firewall would let pass by itself now`;
    return [{
      found,
      want: `RETURN in ${item.chain}, so that rules of others keep their force`,
      verdict: "warn" as const,
      items: [item],
    }];
  }
  if (item.from !== "INPUT" || (isTunnelChain(item) && tunnelRulesBroken(item, input))) return [];
  return itemProblems([item], input);
}

function leftovers({ blueprint, journal, survey }: CheckInput): Problem[] {
  if (!journal) return [{ found: "crxn's journal may be read by root only", verdict: "unknown" }];
  const wanted = new Set(blueprint.items.map((i) => i.id));
  // What was set for a device is gone with it.
  const gone = (id: string) => {
    const device = /^sysctl net\/ipv6\/conf\/([^/]+)\/accept_ra$/.exec(id)?.[1];
    return device !== undefined && linkOf(survey, device) === undefined;
  };
  const left = [...journal.entries.keys()].filter((id) => !wanted.has(id) && !gone(id));
  if (journal.entries.size === 0) {
    return [{
      found:
        `the gateway is here, and crxn's journal (${Path.journal}) knows nothing of it: \`crxn down\` cannot take it back`,
      want: "the journal from a backup",
      verdict: "warn",
    }];
  }
  if (left.length === 0) return [];
  return [{
    found: `made by crxn, and not in crxn.yaml any more: ${left.join(", ")}`,
    want: "only what the config says",
    verdict: "warn",
    fix: [UP],
  }];
}

function reload({ survey }: CheckInput): Problem[] {
  const units = Object.values(survey.units).filter((u) => u.needsReload).map((u) => u.unit);
  if (units.length === 0) return [];
  const argv = [Program.systemctl, "daemon-reload"];
  return [{
    found: `systemd has not read the new files of ${units.join(", ")}`,
    want: "the units as the files have them",
    verdict: "warn",
    steps: [{ title: "let systemd read its units again", actions: [{ do: "run", argv }] }],
  }];
}
