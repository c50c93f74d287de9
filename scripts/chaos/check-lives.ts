import type { AnyPlan } from "mageflow";
import type { Entry } from "./history.ts";
import type { Violation } from "./violation.ts";

type Node = Pick<AnyPlan, "spec" | "children">;

const ENDED: readonly string[] = ["SUCCEEDED", "FAILED", "SKIPPED"];
/** More than the statements of one commit are apart; a cleanup that does not wait begins long before. */
const ONE_COMMIT_MS = 5;

/**
 * Each generation of each signature has the callbacks of its end, once, and no others: cleanups whenever it had begun, also when it was
 * stopped, and then no success or error callback. `gone` is the action by which the workflow was removed, or null; what was cancelled
 * may have taken callbacks along that had not run.
 */
export function checkLives(
  history: readonly Entry[],
  plan: Node,
  addition: Node,
  gone: string | null,
  report: (found: Violation) => void,
): void {
  const rootId = history[0]!.rootId;
  const byId = Map.groupBy(history, ({ id }) => id);
  const stopped = byId.get(rootId)!.at(-1)!.stop !== null;
  const callbacks = Map.groupBy(
    [...byId.keys()].flatMap((id) => {
      const [, owner, role, slot, generation = "1"] = CALLBACK.exec(id) ?? [];
      return owner === undefined
        ? []
        : [{ id, owner: `${owner} ${generation}`, role: role!, slot: Number(slot) }];
    }),
    ({ owner }) => owner,
  );
  for (const [id, life] of byId) {
    const { role } = life[0]!;
    if (role !== "root" && role !== "step" && role !== "item") continue;
    // What stands inside a callback has none of its own here.
    const node = nodeAt(plan, addition, id.slice(rootId.length + 1));
    if (node === null) continue;
    const last = life.at(-1)!.generation;
    for (let generation = 1; generation <= last; generation++) {
      const own = life.filter((entry) => entry.generation === generation);
      // What was interrupted and resumed in one commit shows no end.
      const status = own.at(-1)?.status ?? "INTERRUPTED";
      const over =
        generation < last || ENDED.includes(status) || status === "INTERRUPTED" || status === "CANCELLED";
      const reached = own.some(({ kind, claimed, status: at }) =>
        kind === "task" ? claimed : at === "RUNNING",
      );
      checkEnd(`${id} ${generation}`, node, over ? status : null, reached);
    }
  }

  function checkEnd(life: string, { spec }: Node, status: string | null, reached: boolean): void {
    const { success, error, cleanup } = spec.callbacks;
    const found = callbacks.get(life) ?? [];
    const wanted = { success: 0, error: 0, cleanup: 0 };
    if (status === "SUCCEEDED") wanted.success = success.length;
    if (status === "FAILED") wanted.error = error.length;
    if (status !== null && status !== "SKIPPED") wanted.cleanup = cleanup.length;
    for (const role of ["success", "error", "cleanup"] as const) {
      const stored = found.filter((callback) => callback.role === role);
      const kind = role === "cleanup" ? "cleanups" : "duplicateCallbacks";
      // What was stopped before it had begun has cleanups when it was meant itself, and none when it was something above.
      const none = role === "cleanup" && stored.length === 0 && !reached;
      if (stored.length !== wanted[role] && !none) {
        const [id, generation] = life.split(" ");
        report({
          kind,
          detail: `generation ${generation} of ${id} (${status}) has ${stored.length} ${role} callbacks, not ${wanted[role]}`,
        });
      }
      for (const { id } of stored) checkRun(id, kind, role === "cleanup");
    }
    const turns = found.filter(({ role }) => role === "cleanup").sort((a, b) => b.slot - a.slot);
    for (const [i, { id }] of turns.entries()) {
      const before = turns[i - 1];
      const began = byId.get(id)!.find(({ claimed }) => claimed)?.at ?? Number.POSITIVE_INFINITY;
      const ended =
        before === undefined ? 0 : (byId.get(before.id)!.find(hasEnded)?.at ?? Number.POSITIVE_INFINITY);
      // One commit ends the one and starts the other, and notes them in the order of its statements, a moment apart.
      if (began < ended - ONE_COMMIT_MS)
        report({ kind: "cleanups", detail: `${id} began before ${before!.id} had ended` });
    }
  }

  /** It has ended once; of what was stopped for good, those that are no cleanups may not have. */
  function checkRun(id: string, kind: "cleanups" | "duplicateCallbacks", cleanup: boolean): void {
    const ends = byId
      .get(id)!
      .filter((entry, i, all) => hasEnded(entry) && all[i - 1]?.status !== entry.status);
    const open = !cleanup && gone !== null && stopped;
    if (ends.length > 1 || (ends.length === 0 && !open))
      report({ kind, detail: `${id} has ended ${ends.length} times` });
  }
}

function hasEnded({ status }: Entry): boolean {
  return status === "SUCCEEDED" || status === "FAILED";
}

const CALLBACK = /^(.*)\.(success|error|cleanup)(\d+)(?:g(\d+))?$/;

/** The plan of what stands there: of the workflow, or of what was added to it. */
function nodeAt(plan: Node, addition: Node, path: string): Node | null {
  if (path === "") return plan;
  let node: Node | undefined = plan;
  for (const part of path.split(".")) {
    if (!/^\d+$/.test(part)) return null;
    node = [...(node.children ?? [])][Number(part)];
    if (node === undefined) return addition;
  }
  return node;
}
