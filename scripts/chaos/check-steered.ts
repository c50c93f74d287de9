import { type AnyPlan, GoneError, type MageFlow } from "mageflow";
import { checkClaims } from "./check-claims.ts";
import { checkHalts } from "./check-halts.ts";
import { checkLives } from "./check-lives.ts";
import { checkOrders } from "./check-orders.ts";
import { type Given, givenOrders } from "./given.ts";
import type { Entry, Witness } from "./history.ts";
import type { Row } from "./ledger.ts";
import { addition, STORIES, story } from "./stories.ts";
import type { ChaosTasks } from "./tasks.ts";
import type { Violation } from "./violation.ts";

/** What there is to judge steered workflows by. */
export interface SteeredEvidence {
  readonly mage: MageFlow;
  readonly witness: Witness;
  readonly seed: number;
  readonly tasks: ChaosTasks;
  /** Of the whole ledger. */
  readonly rows: readonly Row[];
  /** Roots by story. */
  readonly roots: ReadonlyMap<number, string>;
  /** Those that have come to rest, or are gone. */
  readonly settled: ReadonlySet<string>;
}

/** Judges the workflows that were steered, and returns the orders. */
export async function checkSteered(
  { mage, witness, seed, tasks, rows, roots, settled }: SteeredEvidence,
  report: (found: Violation) => void,
): Promise<Given[]> {
  const orders = givenOrders(rows);
  const histories = Map.groupBy(await witness.history(), ({ rootId }) => rootId);
  const graves = await witness.gone();
  const audit = await readAudit(mage, report);
  for (let index = 0; index < STORIES; index++) {
    const rootId = roots.get(index);
    if (rootId === undefined) {
      report({ kind: "lost", detail: `story ${index} is not stored` });
      continue;
    }
    const { plan, name } = story(seed, index, tasks);
    const tell = ({ kind, detail }: Violation): void => report({ kind, detail: `${name}: ${detail}` });
    const history = histories.get(rootId) ?? [];
    const given = orders.filter((order) => order.rootId === rootId);
    const own = rows.filter(({ id }) => id === rootId || id?.startsWith(`${rootId}.`));
    const gone = graves.get(rootId) ?? null;
    checkClaims(own, history, tell);
    checkHalts(history, given, gone?.seq ?? Number.POSITIVE_INFINITY, tell);
    checkOrders(given, own, history, gone, tell);
    for (const { verb, id, fate } of given) {
      if (
        (verb === "cancel" || verb === "rerun") &&
        fate === "done" &&
        gone?.action !== "delete" &&
        !audit.has(`${verb} ${id}`)
      )
        tell({ kind: "audit", detail: `the ${verb} of ${id} is not in the audit trail` });
    }
    if (!settled.has(rootId)) continue;
    checkLives(history, plan, addition(tasks, "any"), gone?.action ?? null, tell);
    if (gone === null) checkWhole(history, plan, tell);
    else await checkGone(mage, witness, rootId, history, gone.seq, tell);
  }
  return orders;
}

/** Nothing is open, nothing is stopped, and all of it has run in its last life. */
function checkWhole(history: readonly Entry[], plan: AnyPlan, report: (found: Violation) => void): void {
  const rootId = history[0]!.rootId;
  const last = new Map(history.map((entry) => [entry.id, entry]));
  const { origin } = last.get(rootId)!;
  const begun = history.find((entry) => entry.id === rootId && entry.generation === origin)!.seq;
  for (const { id, status, seq, role } of last.values()) {
    if (status !== "SUCCEEDED") report({ kind: "wrongOutcome", detail: `${id} is ${status}, not SUCCEEDED` });
    else if ((role === "root" || role === "step" || role === "item") && isOwn(id, rootId) && seq < begun)
      report({ kind: "partial", detail: `${id} did not run in generation ${origin} of ${rootId}` });
  }
  const check = (id: string, node: Pick<AnyPlan, "children">): void => {
    if (!last.has(id)) report({ kind: "partial", detail: `${id} is not stored` });
    for (const [slot, child] of [...(node.children ?? [])].entries()) check(`${id}.${slot}`, child);
  };
  check(rootId, plan);
}

/** Not inside a callback. */
function isOwn(id: string, rootId: string): boolean {
  return /^[\d.]*$/.test(id.slice(rootId.length));
}

/** Nothing but a tombstone and the audit trail remains, nothing was at work when it went, and nothing happened after that. */
async function checkGone(
  mage: MageFlow,
  witness: Witness,
  rootId: string,
  history: readonly Entry[],
  goneAt: number,
  report: (found: Violation) => void,
): Promise<void> {
  const answer: unknown = await mage.get(rootId).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(answer instanceof GoneError))
    report({ kind: "remains", detail: `${rootId} was removed, and get() gives ${String(answer)}` });
  for (const what of await witness.remains(rootId))
    report({ kind: "remains", detail: `${what} is left of ${rootId}` });
  const last = new Map<string, Entry>();
  for (const entry of history) {
    const { id, seq, status } = entry;
    if (seq > goneAt)
      report({ kind: "remains", detail: `${id} became ${status} after ${rootId} was removed` });
    else last.set(id, entry);
  }
  for (const { id, status, kind } of last.values()) {
    if (kind === "task" && status === "RUNNING")
      report({ kind: "halfDone", detail: `${id} was running when ${rootId} was removed` });
  }
}

/** Orders that the audit trail tells of, as `action target`. */
async function readAudit(mage: MageFlow, report: (found: Violation) => void): Promise<Set<string>> {
  const { ok, brokenAt } = await mage.audit.verify();
  if (!ok) report({ kind: "audit", detail: `the audit trail is broken at ${brokenAt}` });
  const deeds = new Set<string>();
  for (let after = 0; ;) {
    const page = await mage.audit.list({ after, limit: 500 });
    for (const { action, target } of page) deeds.add(`${action} ${target}`);
    if (page.length < 500) return deeds;
    after = page.at(-1)!.seq;
  }
}
