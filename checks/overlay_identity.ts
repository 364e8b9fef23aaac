import { Program } from "../gateway/action.ts";
import { Path, Unit } from "../gateway/names.ts";
import type { Check, CheckInput } from "./check.ts";
import { UP } from "./fix.ts";
import { outcomeOf, type Problem } from "./problem.ts";
import { isStandIn } from "./settle.ts";

/** This node's key in the yggdrasil network. */
export const overlayIdentity: Check = {
  id: "overlay-identity",
  title: "This node is who it was, and its key is secret",
  hop: "overlay",
  only: "yggdrasil",
  needs: [],
  looksAt:
    "The PrivateKey in /etc/yggdrasil/yggdrasil.conf, who may read the file, and the key that the running daemon has.",
  why:
    "The node's address follows from its key, and the far end knows this node by it. A daemon without a key in its config gets a new identity at every start.",
  cure:
    "Put the old key back. crxn keeps one it made in /var/lib/crxn/yggdrasil.key; `crxn up` writes it into the config again.",
  run: (input) => outcomeOf([...fileProblems(input), ...daemonProblems(input)], input, input.survey.overlay?.publicKey),
};

function fileProblems({ blueprint, survey }: CheckInput): Problem[] {
  const path = Path.yggdrasilConfig;
  const file = survey.files[path];
  const items = blueprint.items.filter((i) =>
    i.kind === "file" && i.path === path || i.kind === "service" && i.unit === Unit.yggdrasil
  );
  if (file === null) {
    // Without a kept key `up` makes another node of this machine: a person has to decide that.
    const kept = blueprint.facts.identity?.from !== "new";
    return [{
      found: `${path} is missing, and the key with it`,
      want: kept
        ? "the config with this node's PrivateKey"
        : "the file from a backup; `crxn up` makes a new identity without it",
      ...(kept ? { items } : { fix: [UP] }),
      carries: true,
    }];
  }
  if (!file || (file.content === undefined && file.mode === 0)) {
    return [{ found: `${path} may be read by root only`, verdict: "unknown" }];
  }
  if ((file.mode & 0o007) !== 0) {
    return [{
      found: `everybody may read ${path} (mode ${file.mode.toString(8)}), which holds the private key`,
      want: "mode 640, root:yggdrasil",
      carries: true,
      steps: [{ title: `make ${path} secret`, actions: [{ do: "run", argv: [Program.chmod, "0640", path] }] }],
    }];
  }
  return [];
}

function daemonProblems({ blueprint, survey }: CheckInput): Problem[] {
  const { identity } = blueprint.facts;
  const running = survey.overlay?.publicKey;
  if (!identity || !running || isStandIn(identity) || identity.from === "new" || running === identity.publicKey) {
    return [];
  }
  return [{
    found: `the daemon runs as ${running}, its config says ${identity.publicKey}`,
    want: "one identity",
    steps: [{
      title: `restart ${Unit.yggdrasil}`,
      actions: [{ do: "run", argv: [Program.systemctl, "restart", Unit.yggdrasil] }],
    }],
  }];
}
