import type { AnyPlan, MageFlow, SignatureView } from "mageflow";
import { checkCaps } from "./check-caps.ts";
import { checkOrder } from "./check-order.ts";
import { checkTasks } from "./check-tasks.ts";
import { checkTree } from "./check-trees.ts";
import type { Row } from "./ledger.ts";
import { readStored, type Stored } from "./stored.ts";
import type { ChaosTasks } from "./tasks.ts";
import type { Violation } from "./violation.ts";
import { submission } from "./workload.ts";

/** What there is to judge a round by. */
export interface Evidence {
  readonly mage: MageFlow;
  readonly seed: number;
  /** How many have been submitted, or should have been. */
  readonly submissions: number;
  readonly tasks: ChaosTasks;
  readonly rows: readonly Row[];
  /** Ids that the submitter was told, by index. */
  readonly acknowledged: ReadonlyMap<number, string>;
  readonly settled: ReadonlySet<string>;
  /** Roots that are judged by other laws. */
  readonly steered: ReadonlySet<string>;
  /** Workers that were asked to stop. */
  readonly goodbyes: number;
}

/** Judges a round by what is stored and what was done. Returns how many tasks have run. */
export async function check(evidence: Evidence, report: (found: Violation) => void): Promise<number> {
  const { mage, seed, submissions, tasks, rows, settled, steered, goodbyes } = evidence;
  const stored = await readStored(mage, settled, steered);
  const caps = new Map<string, number>();
  for (let index = 0; index < submissions; index++) {
    const { plan, start } = submission(seed, index, tasks);
    const root = checkRoot(evidence, stored, index, report);
    if (root === undefined) continue;
    if (settled.has(root.id)) checkTree(stored, root, plan, caps, report);
    if (!start) checkWhole(stored, root, plan, report);
  }
  checkTasks(rows, stored, goodbyes, report);
  checkOrder(rows, stored, report);
  checkCaps(rows, stored, caps, report);
  return stored.results.size;
}

/** The one root of a submission: there when it was acknowledged, and never there twice. */
function checkRoot(
  { acknowledged }: Evidence,
  stored: Stored,
  index: number,
  report: (found: Violation) => void,
): SignatureView | undefined {
  const roots = stored.roots.filter(({ tags }) => tags.includes(`n${index}`));
  const told = acknowledged.get(index);
  if (roots.length > 1) {
    const ids = roots.map(({ id }) => id).join(" and ");
    report({ kind: "partial", detail: `submission ${index} is stored as ${ids}` });
  }
  if (told === undefined) return roots[0];
  const root = stored.views.get(told);
  if (root === undefined)
    report({ kind: "lost", detail: `${told}, which was acknowledged as submission ${index}, is not there` });
  return root;
}

/** What was stored to be started later: all of it, or nothing. */
function checkWhole(
  stored: Stored,
  root: SignatureView,
  plan: AnyPlan,
  report: (found: Violation) => void,
): void {
  const children = stored.children.get(root.id)?.length ?? 0;
  const planned = [...plan.children!].length;
  if (root.status !== "PENDING" || children !== planned)
    report({
      kind: "partial",
      detail: `${root.id} is ${root.status} with ${children} of ${planned} children`,
    });
}
