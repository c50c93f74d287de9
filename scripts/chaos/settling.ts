import { type MageFlow, WaitTimeoutError } from "mageflow";
import type { Patience } from "./patience.ts";
import type { Violation } from "./violation.ts";

/** How long one look at what is not settled takes (ms). */
const LOOK_MS = 2_000;

/** Waits for every root that is stored and not steered, acknowledged or not, and for what those launch. */
export async function settle(
  mage: MageFlow,
  told: ReadonlyMap<number, string>,
  steered: ReadonlySet<string>,
  patience: Patience,
  report: (found: Violation) => void,
): Promise<Set<string>> {
  const settled = new Set<string>();
  for (;;) {
    const roots = await mage.list({ limit: 500 });
    const open = roots.items.filter(
      ({ id, name }) => name !== "large" && !settled.has(id) && !steered.has(id),
    );
    if (open.length === 0) return settled;
    await Promise.all(
      open.map(async ({ id }) => {
        try {
          await (await mage.get(id)).settled({ timeout: LOOK_MS });
          settled.add(id);
        } catch (error) {
          if (!(error instanceof WaitTimeoutError)) throw error;
        }
      }),
    );
    if (!(await patience.isOver())) continue;
    for (const { id } of open.filter((root) => !settled.has(root.id))) {
      const promised = [...told.values()].includes(id) ? "acknowledged" : "stored";
      report({ kind: "stuck", detail: `${id} (${promised}): ${await describeOpen(mage, id)}` });
    }
    return settled;
  }
}

/** What is not ended inside a workflow. */
async function describeOpen(mage: MageFlow, rootId: string): Promise<string> {
  const statuses = ["PENDING", "READY", "RUNNING", "WAITING"] as const;
  const { items } = await mage.list({ roots: false, status: statuses, limit: 500 });
  return items
    .filter((view) => view.rootId === rootId)
    .slice(0, 5)
    .map(({ id, status, workerId }) => `${id} ${status}${workerId === null ? "" : ` by ${workerId}`}`)
    .join(", ");
}
