/* oxlint-disable vitest/no-conditional-expect -- what is expected depends on the outcome. */
import { expect } from "vitest";
import { callbackId, isCallback, isCleanup, type Role } from "./ids.ts";
import type { PlanNode } from "./plan.ts";
import type { SignatureRecord } from "./record.ts";
import { outcomeOf } from "./sample-plans.test-support.ts";
import type { Stage } from "./stage.test-support.ts";
import { isEnded, type Status } from "./status.ts";

/** Everything that the specification says about a workflow that is over. */
export function judge(stage: Stage, plan: PlanNode): void {
  stage.expectSettled();
  expect(stage.status("r")).toBe(outcomeOf(plan));
  const past = historyOf(stage);
  for (const record of stage.records.values()) {
    judgeCallbacks(stage, past, record);
    judgeCounters(record);
    judgeChain(stage, past, record);
  }
  judgeCleanups(stage, past);
  const settled = stage.journal.filter((entry) => entry.type === "settled");
  expect(new Set(settled.map((entry) => entry.id))).toEqual(new Set(["r"]));
  // Once at the end of each generation that came to one, and each time that the root was interrupted and not resumed before.
  expect(settled.length).toBeLessThanOrEqual(stage.get("r").generation);
  expect(stage.journal.findLast(({ type }) => type !== "marked" && type !== "restored")).toBe(settled.at(-1));
}

/** Everything that it says about one that was cancelled when `from` steps had been taken, and is over. */
export function judgeCancelled(stage: Stage, from: number): void {
  const root = stage.get("r");
  expect(root.stop, "the order").toMatchObject({ verb: "cancel", done: true });
  expect(root.deletion, "the root is removed at once").toMatchObject({ action: "cancel", purged: false });
  const past = historyOf(stage);
  for (const { id, to } of stage.steps.slice(from)) {
    const begins = to === "RUNNING" && stage.get(id).kind === "task" && !standsInCleanup(stage, id);
    if (begins) expect(id, "began after it was cancelled").toBe("");
  }
  for (const record of stage.records.values()) {
    if (standsInCleanup(stage, record.id)) continue;
    const goesOn = ["READY", "RUNNING", "WAITING", "SUSPENDED"].includes(record.status);
    expect(goesOn, `${record.id} is ${record.status}`).toBe(false);
    if (record.status !== "PENDING") judgeCallbacks(stage, past, record);
  }
  judgeCleanups(stage, past);
}

/** When a generation of a signature began, and when and how it ended: places among the steps of a stage. */
interface Life {
  began: number;
  ended: number;
  status: Status | null;
}

type History = ReadonlyMap<string, Life>;

function historyOf(stage: Stage): History {
  const past = new Map<string, Life>();
  for (const [at, { id, to, generation }] of stage.steps.entries()) {
    const key = `${id} ${generation}`;
    const life: Life = past.get(key) ?? { began: Infinity, ended: Infinity, status: null };
    past.set(key, life);
    if (to === "RUNNING") life.began = Math.min(life.began, at);
    if (to === "INTERRUPTED" || isEnded(to)) {
      // What was interrupted, or cancelled since, ends its generation with that.
      if (to !== "CANCELLED" || life.status !== "INTERRUPTED")
        expect(life.ended, `${id} ends once in generation ${generation}`).toBe(Infinity);
      life.ended = Math.min(life.ended, at);
      life.status = to;
    }
  }
  return past;
}

const UNBORN: Life = { began: Infinity, ended: Infinity, status: null };

function lifeOf(past: History, { id, generation }: Pick<SignatureRecord, "id" | "generation">): Life {
  return past.get(`${id} ${generation}`) ?? UNBORN;
}

/** Each generation has the callbacks of its end and no others. */
function judgeCallbacks(stage: Stage, past: History, record: SignatureRecord): void {
  const { id } = record;
  const all = stage.children(id).filter(({ role }) => isCallback(role));
  const { callbacks: own } = stage.view.spec(record);
  const parent = record.parentId === null ? null : stage.get(record.parentId);
  const parentSpec = parent === null ? null : stage.view.spec(parent);
  const item = record.role === "item" && parentSpec?.kind === "swarm" ? parentSpec.itemCallbacks : null;
  for (let generation = 1; generation <= record.generation; generation++) {
    const { status, began } = lifeOf(past, { id, generation });
    const [good, bad] = [status === "SUCCEEDED", status === "FAILED"];
    const cancelled = status === "CANCELLED";
    // What never began and is cancelled along with its container has nothing to clean up; the root always has.
    const cleans = good || bad || status === "INTERRUPTED" || (cancelled && (began < Infinity || id === "r"));
    const due: [Role, number][] = [
      ["success", good ? own.success.length : 0],
      ["error", bad ? own.error.length : 0],
      ["cleanup", cleans ? own.cleanup.length : 0],
      ["itemSuccess", good ? (item?.success.length ?? 0) : 0],
      ["itemError", bad ? (item?.error.length ?? 0) : 0],
      ["itemCleanup", cleans ? (item?.cleanup.length ?? 0) : 0],
    ];
    for (const [role, count] of due) {
      const born = all.filter((child) => child.role === role && isOf(child, record, generation));
      // Interrupted before and then cancelled, it was cleaned up when it was interrupted.
      if (cancelled && isCleanup(role) && born.length === lengthOf(role)) continue;
      expect(born.length, `${role} callbacks of ${id} (${status}), generation ${generation}`).toBe(count);
    }
  }

  function lengthOf(role: Role): number {
    return role === "cleanup" ? own.cleanup.length : (item?.cleanup.length ?? 0);
  }
}

function judgeCounters({ family }: SignatureRecord): void {
  if (family === null) return;
  expect(family.succeeded + family.failed + family.skipped).toBe(family.total);
  expect([family.unsettled, family.uncleaned, family.active, family.halting]).toEqual([0, 0, 0, 0]);
  expect(family.cleanupsEnded).toBe(family.cleanups);
}

/** Steps in their order, and none after a failure. */
function judgeChain(stage: Stage, past: History, record: SignatureRecord): void {
  if (record.kind !== "chain" || record.status === "SKIPPED") return;
  const steps = stage.children(record.id).filter(({ role }) => role === "step");
  steps.sort((a, b) => a.slot - b.slot);
  const failed = steps.findIndex((step) => step.status === "FAILED");
  for (const [slot, step] of steps.entries()) {
    if (failed >= 0 && slot > failed) expect(step.status).toBe("SKIPPED");
    else expect(step.status).toBe(slot === failed ? "FAILED" : "SUCCEEDED");
    if (slot > 0 && step.status !== "SKIPPED") {
      expect(lifeOf(past, step).began).toBeGreaterThan(lifeOf(past, steps[slot - 1]!).ended);
    }
  }
  if (record.status === "SUCCEEDED") expect(record.result).toBe(steps.at(-1)!.result);
  else expect(record.error).toEqual(steps[failed]!.error);
}

/**
 * Every cleanup has run. Those of one generation come one after the other: own ones, then the swarm's for items, last registered
 * first; and each after all that were due inside when it began.
 */
function judgeCleanups(stage: Stage, past: History): void {
  const cleanups = [...stage.records.values()].filter(({ role }) => isCleanup(role));
  const dues = cleanups.map((cleanup) => {
    const owner = stage.get(cleanup.parentId!);
    const { began, ended } = lifeOf(past, { id: owner.id, generation: generationOf(cleanup) });
    return { cleanup, life: firstLife(past, cleanup), begun: began < Infinity, due: ended };
  });
  for (const { cleanup, life, due } of dues) {
    expect(isEnded(cleanup.status), `the cleanup ${cleanup.id} has run`).toBe(true);
    const began = Math.min(life.began, life.ended);
    expect(began, `${cleanup.id} waits for the end of its owner`).toBeGreaterThan(due);
    for (const other of dues) {
      // What is interrupted by itself before it has begun is nothing that its container looks after.
      const inside =
        other.begun && other.due < began && insideOf(stage, past, other.cleanup, cleanup.parentId!, due);
      const before = inside || isBefore(other.cleanup, cleanup);
      if (before && other.cleanup !== cleanup)
        expect(other.life.ended, `${cleanup.id} waits for ${other.cleanup.id}`).toBeLessThan(began);
    }
  }
}

/** From its first beginning to its last end: a cleanup may be interrupted itself. */
function firstLife(past: History, { id, generation }: SignatureRecord): Life {
  const began = Math.min(
    ...Array.from({ length: generation }, (_, at) => lifeOf(past, { id, generation: at + 1 }).began),
  );
  return { ...lifeOf(past, { id, generation }), began };
}

function generationOf({ id }: SignatureRecord): number {
  return Number(/g(\d+)$/.exec(id)?.[1] ?? 1);
}

/** True for cleanups of one generation of one owner, when `one` comes before `other`. */
function isBefore(one: SignatureRecord, other: SignatureRecord): boolean {
  if (one.parentId !== other.parentId || generationOf(one) !== generationOf(other)) return false;
  return one.role === other.role ? one.slot > other.slot : one.role === "cleanup";
}

/** True for a callback of this generation of its owner. */
function isOf({ id, role, slot }: SignatureRecord, owner: SignatureRecord, generation: number): boolean {
  return isCallback(role) && id === callbackId(owner.id, role, slot, generation);
}

/**
 * True for a cleanup of something that stands in `container` through steps and items only, in containers that had begun when it came
 * to its end.
 */
function insideOf(
  stage: Stage,
  past: History,
  cleanup: SignatureRecord,
  container: string,
  end: number,
): boolean {
  let at = stage.get(cleanup.parentId!);
  while (at.id !== container) {
    if (isCallback(at.role) || at.parentId === null) return false;
    at = stage.get(at.parentId);
    const { id } = at;
    const lives = Array.from({ length: at.generation }, (_, n) => lifeOf(past, { id, generation: n + 1 }));
    if (lives.every(({ began }) => began > end)) return false;
  }
  return cleanup.parentId !== container;
}

/** True for a cleanup, and for everything under one. */
export function standsInCleanup(stage: Stage, id: string): boolean {
  for (let at = stage.get(id); ; at = stage.get(at.parentId)) {
    if (isCleanup(at.role)) return true;
    if (at.parentId === null) return false;
  }
}

/** True for the target and what is inside it, cleanups and what is inside those excepted. */
export function standsIn(stage: Stage, id: string, target: string): boolean {
  let at: SignatureRecord = stage.get(id);
  while (at.id !== target) {
    if (at.parentId === null || isCleanup(at.role)) return false;
    at = stage.get(at.parentId);
  }
  return true;
}
