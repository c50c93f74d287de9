import { setTimeout as sleep } from "node:timers/promises";
import { GoneError, type MageFlow, type SignatureView } from "mageflow";
import type { Witness } from "./history.ts";
import type { Order, Word } from "./orders.ts";
import type { Patience } from "./patience.ts";
import type { Steerer } from "./steerer.ts";
import type { Violation } from "./violation.ts";

/** Between two looks, and between two visits. */
const LOOK_MS = 50;
const VISIT_MS = 250;

/**
 * Lets the workflows of the stories come to an end: resumes what is suspended or interrupted, starts what was not, closes what is open.
 * Returns those that have come to rest.
 */
export async function nurse(
  mage: MageFlow,
  witness: Witness,
  steerer: Steerer,
  roots: ReadonlyMap<number, string>,
  words: readonly Word[],
  patience: Patience,
  report: (found: Violation) => void,
): Promise<Set<string>> {
  const rested = new Set<string>();
  let visited = Number.NEGATIVE_INFINITY;
  for (let beat = AFTER_ALL; rested.size < roots.size; beat++) {
    for (const rootId of roots.values()) if ((await witness.unrest(rootId)) === null) rested.add(rootId);
    const now = performance.now();
    if (await patience.isOver()) break;
    if (now - visited > VISIT_MS) {
      visited = now;
      const open = [...roots].filter(([, rootId]) => !rested.has(rootId));
      await Promise.all(
        open.map(async ([story, rootId]) => {
          const paths = new Set(words.flatMap(({ story: of, path = "" }) => (of === story ? path : [])));
          const orders = await needs(
            mage,
            rootId,
            [...paths].sort((a, b) => a.length - b.length),
          );
          for (const [nth, order] of orders.entries())
            await steerer.give(order, { story, beat, nth, rootId });
        }),
      );
    }
    await sleep(LOOK_MS);
  }
  for (const rootId of roots.values())
    if (!rested.has(rootId))
      report({ kind: "stuck", detail: `${rootId} is ${await witness.unrest(rootId)}` });
  return rested;
}

/** Behind the beats of every story. */
const AFTER_ALL = 1_000;

async function needs(mage: MageFlow, rootId: string, paths: readonly string[]): Promise<Order[]> {
  const orders: Order[] = [];
  for (const path of new Set(["", "0", ...paths])) {
    const view = await look(mage, path === "" ? rootId : `${rootId}.${path}`);
    if (view === null) continue;
    const { execution, startedAt, deletion, kind, role } = view;
    if (execution === "SUSPENDED" || execution === "INTERRUPTED") orders.push({ verb: "resume", path });
    if (role === "root" && execution === "PENDING" && startedAt === null && deletion === null)
      orders.push({ verb: "start", path });
    if (kind === "swarm" && OPEN.includes(view.name) && execution === "RUNNING")
      orders.push({ verb: "close", path });
  }
  return orders;
}

/** Names of the swarms that take more items. */
const OPEN: readonly string[] = ["open", "growing"];

async function look(mage: MageFlow, id: string): Promise<SignatureView | null> {
  try {
    return await (await mage.get(id)).view();
  } catch (error) {
    if (error instanceof GoneError) return null;
    // Not every workflow has a first child.
    if (error instanceof Error && "code" in error && error.code === "NOT_FOUND") return null;
    throw error;
  }
}
