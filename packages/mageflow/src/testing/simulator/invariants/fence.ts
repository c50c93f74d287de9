import { standsInPlan } from "../../../core/ids.ts";
import type { TaskSpec } from "../../../core/plan.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { GOING_ON } from "../../../runtime/going-on.ts";
import { REQUEST } from "../../../runtime/request.ts";
import { UNCLEAN } from "../../../runtime/unclean.ts";
import { hasEnded, type SeenCommit, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

/** I7: what a worker writes is visible only while it holds the task: no result, retry, step or checkpoint of a stale epoch. */
export const fence: Invariant = {
  name: "I7 fence",
  check(shadow, commit, report) {
    for (const { before, now } of commit.changed) {
      if (before === null || now.kind !== "task") continue;
      if (now.epoch < before.epoch) report(`${now.id} went back to epoch ${now.epoch}`);
      if (now.attempt === 0 && now.deadlineAt !== null)
        report(`${now.id} has a deadline, and no worker has taken it`);
      if (now.generation !== before.generation || isStopped(now)) {
        stoppedOrRenewed(shadow, before, now, commit, report);
        continue;
      }
      const moved = before.epoch !== now.epoch || before.workerId !== now.workerId;
      if (before.status !== "RUNNING" && now.status === "RUNNING") claimed(before, now, commit, report);
      else if (before.status === "RUNNING" && now.status !== "RUNNING")
        left(shadow, before, now, commit, report);
      else if (before.status === "RUNNING" && moved) handed(shadow, before, now, commit, report);
      else if (now.attempt !== before.attempt)
        report(`${now.id} changed its attempt while it was ${before.status}`);
    }
    for (const { steps = [], checkpoints = [], progress = [] } of commit.writes) {
      for (const { id, generation, name, result } of steps)
        if (name === GOING_ON) handedOn(shadow, id, result, commit, report);
        // Nobody runs it yet.
        else if (name === REQUEST) continue;
        else if (name === UNCLEAN) wentOn(shadow, id, result, report);
        else saved(shadow, { id, generation, mark: JSON.parse(result), what: "step" }, commit, report);
      for (const { id, generation, body } of checkpoints)
        saved(shadow, { id, generation, mark: JSON.parse(body), what: "checkpoint" }, commit, report);
      for (const { id, generation } of progress)
        saved(shadow, { id, generation, mark: null, what: "progress" }, commit, report);
    }
  },
};

/** No worker notes that something was resumed, and it is about the generation that goes on, be it when it has stopped. */
function wentOn(shadow: Shadow, id: string, result: string, report: Report): void {
  const { generation, stop } = shadow.get(id);
  const next = stop === null ? generation : generation + 1;
  if (!shadow.resumed.has(id) || Number(result) > next)
    report(`${id} in generation ${generation} is noted to have gone on unclean in ${result}`);
}

function isStopped({ status }: SignatureRecord): boolean {
  return status === "INTERRUPTED" || status === "CANCELLED";
}

/** What runs leaves its worker by an order to stop, and with another epoch; what goes on is claimed like anything else. */
function stoppedOrRenewed(
  shadow: Shadow,
  before: SignatureRecord,
  now: SignatureRecord,
  commit: SeenCommit,
  report: Report,
): void {
  if (before.status === "RUNNING") {
    const stop = before.stop ?? now.stop;
    const holder = shadow.sessions.get(before.workerId!);
    const lapsed = commit.workersBefore.get(before.workerId!)!.leaseUntil <= commit.now;
    const over = stop === null || stop.until <= commit.now;
    // What had left its worker in another way before, in the same commit, was not running when it was stopped.
    const left = now.attempt > before.attempt || now.recoveries > before.recoveries;
    if (now.epoch === before.epoch && !left) report(`${now.id} was stopped under the same epoch`);
    if (holder !== commit.by && !lapsed && !over)
      report(`${commit.by} stopped ${now.id}, which ${holder} holds, within its grace`);
  }
  if (now.status !== "RUNNING") return;
  const fresh = { ...now, epoch: now.epoch - 1, attempt: 0, status: "READY", workerId: null } as const;
  claimed(fresh, now, commit, report);
}

/** Taken from its worker, and claimed again, in one commit. */
function handed(
  shadow: Shadow,
  before: SignatureRecord,
  now: SignatureRecord,
  commit: SeenCommit,
  report: Report,
): void {
  const recovered = now.recoveries > before.recoveries;
  const between = {
    ...before,
    status: "READY",
    recoveries: now.recoveries,
    epoch: recovered ? before.epoch : before.epoch + 1,
  } as const;
  left(shadow, before, between, commit, report);
  claimed(between, now, commit, report);
}

function claimed(before: SignatureRecord, now: SignatureRecord, commit: SeenCommit, report: Report): void {
  if (now.workerId === null) report(`${now.id} runs without a worker`);
  if (now.epoch !== before.epoch + 1)
    report(`${now.id} was claimed and its epoch went from ${before.epoch} to ${now.epoch}`);
  if (now.attempt !== Math.max(1, before.attempt))
    report(`${now.id} was claimed and its attempt became ${now.attempt}`);
  // What waited for a lock goes on when the lock is released.
  const released = before.dueAt !== null && before.dueAt === before.lock?.held?.until && !now.lock?.held;
  if (before.status === "WAITING" && before.dueAt !== null && before.dueAt > commit.now && !released) {
    report(`${now.id} was claimed ${before.dueAt - commit.now} ms too early`);
  }
}

function left(
  shadow: Shadow,
  before: SignatureRecord,
  now: SignatureRecord,
  commit: SeenCommit,
  report: Report,
): void {
  const holder = shadow.sessions.get(before.workerId!);
  const spec = shadow.spec(now) as TaskSpec;
  if (now.recoveries > before.recoveries) {
    const worker = commit.workersBefore.get(before.workerId!)!;
    if (worker.leaseUntil > commit.now)
      report(`${now.id} was taken from ${worker.id}, whose lease still ran`);
    const { enabled, except } = worker.autoResume;
    if ((!enabled || except.includes(now.name)) && standsInPlan(now.id))
      report(`${now.id} was recovered, against the rules of ${worker.id}`);
    if (now.attempt !== before.attempt)
      report(`${now.id} was recovered and its attempt became ${now.attempt}`);
    const capped = now.recoveries > spec.maxRecoveries;
    const note = shadow.steps.get(`${now.id} ${now.origin} ${GOING_ON}`);
    if (!capped && note !== JSON.stringify([before.generation, before.epoch]))
      report(`${now.id} was recovered from epoch ${before.epoch}, and ${note} is noted`);
    // Recovered, offered again, and found past its deadline, in one commit.
    const late = now.status === "FAILED" && before.deadlineAt !== null && before.deadlineAt <= commit.now;
    if ((now.status === "FAILED") !== capped && !late)
      report(`${now.id} is ${now.status} after ${now.recoveries} recoveries`);
    return;
  }
  if (holder !== commit.by) report(`${commit.by} ended ${now.id} (${now.status}), which ${holder} holds`);
  if (now.status === "SUCCEEDED") {
    const { epoch } = JSON.parse(now.result!) as { epoch: number };
    if (before.stop !== null && before.stop.until < commit.now)
      report(`${now.id} succeeded ${commit.now - before.stop.until} ms after its grace was over`);
    if (epoch !== before.epoch)
      report(`${now.id} has the result of epoch ${epoch}, it was held under ${before.epoch}`);
  } else if (now.status === "WAITING") retried(spec, before, now, commit, report);
  else if (now.status === "READY") {
    if (now.epoch === before.epoch) report(`${now.id} was released under the same epoch`);
    if (now.attempt !== before.attempt)
      report(`${now.id} was released and its attempt became ${now.attempt}`);
  } else if (now.status === "SUSPENDED" || now.status === "PENDING") {
    // Handed back or to be retried, and then suspended or held, in one commit.
    const gaveUp = now.epoch > before.epoch || now.attempt > before.attempt;
    if (!gaveUp) report(`${now.id} went from RUNNING to ${now.status}`);
  } else if (!hasEnded(now)) report(`${now.id} went from RUNNING to ${now.status}`);
}

function retried(
  spec: TaskSpec,
  before: SignatureRecord,
  now: SignatureRecord,
  commit: SeenCommit,
  report: Report,
): void {
  if (now.attempt !== before.attempt + 1)
    report(`${now.id} is retried as attempt ${now.attempt} after ${before.attempt}`);
  if (now.attempt > spec.retry.attempts)
    report(`${now.id} gets attempt ${now.attempt} of ${spec.retry.attempts}`);
  const { type, jitter, delay } = spec.retry;
  if (type === "fixed" && jitter === "none" && now.dueAt !== commit.now + delay) {
    report(`${now.id} is retried at ${now.dueAt}, not ${delay} ms after ${commit.now}`);
  }
}

/** The note that a task goes on is for one that has just left its worker, and for its next claim. */
function handedOn(shadow: Shadow, id: string, result: string, commit: SeenCommit, report: Report): void {
  const { generation, status, epoch } =
    commit.changed.find(({ now }) => now.id === id)?.before ?? shadow.get(id);
  const notes = [epoch, epoch + 1].map((at) => JSON.stringify([generation, at]));
  if (status !== "RUNNING" || !notes.includes(result))
    report(`${id} is noted as going on from ${result}, it was ${status} under ${epoch} in ${generation}`);
}

/** It counts when the writer held the task at some moment of the commit: before it, or after what the commit did first. */
function saved(
  shadow: Shadow,
  { id, generation, mark, what }: { id: string; generation: number; mark: unknown; what: string },
  commit: SeenCommit,
  report: Report,
): void {
  const now = shadow.get(id);
  const before = commit.changed.find((change) => change.now === now)?.before ?? now;
  // What is saved belongs to the life that goes on through interrupts.
  if (generation !== before.origin && generation !== now.origin)
    report(
      `${commit.by} saved a ${what} of generation ${generation} for ${id}, whose life began in ${now.origin}`,
    );
  const epoch = (mark as { epoch?: number } | null)?.epoch ?? before.epoch;
  const held = [before, now].some(
    (record) =>
      record.epoch === epoch &&
      record.workerId !== null &&
      shadow.sessions.get(record.workerId) === commit.by,
  );
  if (!held)
    report(
      `${commit.by} saved a ${what} of epoch ${epoch} for ${id}, which is ${now.status} under ${now.epoch}`,
    );
}
