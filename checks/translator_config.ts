import { Path, Unit } from "../gateway/names.ts";
import type { Check, CheckInput } from "./check.ts";
import { itemsOf } from "./owner.ts";
import { itemProblems, outcomeOf } from "./problem.ts";
import { otherConfigs } from "./running_config.ts";
import { staleProblems } from "./stale.ts";
import type { Translator } from "../gateway/workers.ts";

/** tayga's config: the file against the blueprint, and the running daemon against the file. */
export const translatorConfig: Check = {
  id: "translator-config",
  title: "The translator runs with its right config",
  hop: "translator",
  only: "gateway",
  needs: [],
  looksAt:
    "/etc/tayga/INSTANCE.conf, word for word; whether tayga was started after its last change, and, by its arguments, with this file.",
  why:
    "Prefix, pool and device of the translator have to be those of the routes and rules around it. tayga reads its config at start only.",
  cure: "`crxn up` writes the file anew and restarts the translator.",
  run: (input) => {
    const files = itemsOf("translator-config", input.blueprint);
    const problems = input.blueprint.workers.flatMap((worker) => {
      const unit = Unit.translator(worker.instance);
      const service = input.blueprint.items.filter((i) => i.kind === "service" && i.unit === unit);
      const later = isUnread(worker, input) ? { carries: true as const } : {};
      const own = files.filter((i) => i.kind === "file" && i.path === Path.taygaConfig(worker.instance));
      return itemProblems(own, input).map((p) => ({
        ...p,
        ...later,
        ...(p.items ? { items: [...p.items, ...service] } : {}),
      }));
    });
    const paths = files.flatMap((i) => i.kind === "file" ? [i.path] : []);
    const others = problems.length > 0 ? [] : otherConfigs(input);
    return outcomeOf([...problems, ...others, ...staleProblems(input, (path) => paths.includes(path))], input);
  },
};

/** tayga runs with what the file was before: what is in it now counts at the next start. */
function isUnread({ instance }: Translator, { survey }: CheckInput): boolean {
  const unit = survey.units[Unit.translator(instance)];
  const file = survey.files[Path.taygaConfig(instance)];
  return unit?.active === "active" && unit.since > 0 && (file === null || (file?.modified ?? 0) > unit.since);
}
