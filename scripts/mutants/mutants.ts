/** A protocol bug, as a patch of one source text. The simulator must find each of them. */
export interface Mutant {
  readonly name: string;
  /** Below packages/mageflow/src. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What the mutated code would do to users. */
  readonly why: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "finish-without-epoch",
    file: "core/task.ts",
    find: 'return record.status === "RUNNING" && record.epoch === epoch;',
    replace: 'return record.status === "RUNNING" && epoch > 0;',
    why: "a frozen worker that wakes up overwrites the run of its successor",
  },
  {
    name: "claim-keeps-epoch",
    file: "core/task.ts",
    find: `    epoch: record.epoch + 1,
    attempt: Math.max(1, record.attempt),`,
    replace: `    epoch: Math.max(1, record.epoch),
    attempt: Math.max(1, record.attempt),`,
    why: "two workers hold the same epoch, so the fence tells nobody apart",
  },
  {
    name: "claim-in-suspension",
    file: "core/task.ts",
    find: 'if (heldBy !== null) return unchanged({ ...record, status: "PENDING", heldBy });',
    replace: "",
    why: "what was ready when its container was suspended still starts",
  },
  {
    name: "start-in-suspension",
    file: "core/lifecycle.ts",
    find: "if (heldBy !== null) return {",
    replace: 'if (heldBy === "nobody") return {',
    why: "containers inside a suspended container start",
  },
  {
    name: "resume-without-unhold",
    file: "core/lifecycle.ts",
    find: 'return unchanged({ ...next, sweep: "unhold" });',
    replace: "return unchanged(next);",
    why: "what a suspension held is never let go",
  },
  {
    name: "wide-window",
    file: "core/swarm.ts",
    find: "(spec(view, record).concurrency ?? WIDEST_WINDOW) - active",
    replace: "WIDEST_WINDOW - active",
    why: "a swarm starts everything at once",
  },
  {
    name: "slot-not-freed",
    file: "core/swarm.ts",
    find: "if (child.readyAt !== null) counters.active--;",
    replace: "if (child.readyAt !== null && child.recoveries === 0) counters.active--;",
    why: "a crash leaks a slot of its swarm",
  },
  {
    name: "credit-twice",
    file: "runtime/batch.ts",
    find: "if (record.credited > from) this.put({ ...record, credited: from });",
    replace:
      'if (record.credited > from) this.put({ ...record, credited: from });\n      this.send({ to: record.parentId!, signal: { type: "credit", credits: [{ child, from }] } });',
    why: "a credit that had to wait is given at once as well",
  },
  {
    name: "credit-forgotten",
    file: "runtime/batch.ts",
    find: "if (record.credited > from) this.put({ ...record, credited: from });",
    replace: "",
    why: "a child that ends while its container is locked is never counted",
  },
  {
    name: "unknown-is-lost",
    file: "runtime/committer.ts",
    find: "if (prepared !== null && (await this.#landed(stamp.n))) return this.#publish(prepared);",
    replace: "",
    why: "a commit whose answer was lost is made again",
  },
  {
    name: "unknown-is-kept",
    file: "runtime/committer.ts",
    find: "(await this.#landed(stamp.n))",
    replace: "stamp.n > 0",
    why: "a commit that never landed is acknowledged",
  },
  {
    name: "swarm-sweep-dropped",
    file: "core/swarm.ts",
    find: 'sweep: record.status === "RUNNING" ? (record.sweep ?? "start") : record.sweep,',
    replace: "sweep: record.sweep,",
    why: "items added to a running swarm are never started",
  },
  {
    name: "added-and-ended-at-once",
    file: "runtime/batch.ts",
    find: "if (this.#loaded.size < FULL && !this.#grown.has(id)) await",
    replace: "if (this.#loaded.size < FULL) await",
    why: "items that are added in the commit in which another ends are never started",
  },
  {
    name: "steps-not-skipped",
    file: "core/chain.ts",
    find: 'return succeeded + failed === total ? ended : after(ended, sweep({ ...ended.record, sweep: "skip" }));',
    replace: "return ended;",
    why: "steps behind a failure stay open for ever",
  },
  {
    name: "cleanup-too-early",
    file: "core/outcome.ts",
    find: "const cleans = family.uncleaned === 0 && family.cleanupsEnded < family.cleanups;",
    replace: "const cleans = family.cleanupsEnded < family.cleanups;",
    why: "an outer cleanup runs while inner ones still do",
  },
  {
    name: "cleanup-first-registered-first",
    file: "core/outcome.ts",
    find: 'callbackId(record.id, "cleanup", own - 1 - turn, record.generation)',
    replace: 'callbackId(record.id, "cleanup", turn, record.generation)',
    why: "cleanups run in the wrong order",
  },
  {
    name: "error-callback-on-success",
    file: "core/outcome.ts",
    find: 'add(ok ? "success" : "error", ok ? own.success : own.error, record.spec);',
    replace:
      'add(ok ? "success" : "error", ok ? own.success : own.error, record.spec);\n  if (ok) add("error", own.error, record.spec);',
    why: "an error callback fires for a success",
  },
  {
    name: "item-callback-lost",
    file: "core/outcome.ts",
    find: "ok ? item.callbacks.success : item.callbacks.error, item.declaredBy",
    replace: "ok ? item.callbacks.success : [], item.declaredBy",
    why: "failed items have no callback",
  },
  {
    name: "recovery-is-an-attempt",
    file: "core/task.ts",
    find: 'return unchanged({ ...record, status: "READY", workerId: null, recoveries, readyAt: view.now });',
    replace:
      'return unchanged({ ...record, status: "READY", workerId: null, recoveries, readyAt: view.now, attempt: record.attempt + 1 });',
    why: "a killed worker uses up the retries of a task",
  },
  {
    name: "random-callback-ids",
    file: "core/ids.ts",
    find: "return `${owner}.${role}${slot}${generation",
    replace:
      "return `${owner}.${role}${slot}${(globalThis as { born?: number }).born = ((globalThis as { born?: number }).born ?? 0) + 1}x${generation",
    why: "a callback that is made again gets another id, and nobody finds the first",
  },
  {
    name: "dead-workers-stay",
    file: "runtime/reconciler.ts",
    find: "for (const worker of await batch.tx.lapsed(LAPSED)) {",
    replace: "for (const worker of (await batch.tx.lapsed(LAPSED)).slice(0, 0)) {",
    why: "what a dead worker held is never run again",
  },
  {
    name: "recover-once",
    file: "runtime/reconciler.ts",
    find: 'batch.send({ to: id, signal: { type: "recover", epoch: record.epoch } });',
    replace:
      'if (record.recoveries === 0) batch.send({ to: id, signal: { type: "recover", epoch: record.epoch } });',
    why: "a task that loses two workers is stuck",
  },
  {
    name: "dead-session-claims",
    file: "runtime/committer.ts",
    find: "if (await isAlive(batch, demand.workerId)) {",
    replace: "if ((await isAlive(batch, demand.workerId)) || true) {",
    why: "a woken worker claims under a session that was declared dead, and nobody looks after it",
  },
  {
    name: "no-net-under-doorbells",
    file: "runtime/reconciler.ts",
    find: "    this.#committer.ring();\n",
    replace: "",
    why: "a ready task whose doorbell is lost waits for ever",
  },
  {
    name: "owed-not-looked-for",
    file: "runtime/reconciler.ts",
    find: "await Promise.all(parents.map((id) => this.#continue(id)));",
    replace: "",
    why: "credits that a crash left behind are never taken",
  },
  {
    name: "spinning-in-an-outage",
    file: "runtime/reconciler.ts",
    find: "await this.#clock.sleep(REFUSED_MS, this.#stopping.signal, { background: true });",
    replace: "",
    why: "a store that is down is asked without a pause",
  },
  {
    name: "retry-without-waiting",
    file: "core/task.ts",
    find: "dueAt: view.now + wait,",
    replace: "dueAt: record.attempt > 1 ? view.now : view.now + wait,",
    why: "the second retry comes at once",
  },
  {
    name: "retry-without-time",
    file: "core/task.ts",
    find: "        attempt: record.attempt + 1,\n        dueAt: view.now + wait,",
    replace: "        attempt: record.attempt + 1,\n        dueAt: null,",
    why: "a task that waits for its retry waits for ever",
  },
  {
    name: "terminal-is-retried",
    file: "core/task.ts",
    find: "if (!outcome.terminal && record.attempt < retry.attempts) {",
    replace: "if (record.attempt <= retry.attempts) {",
    why: "a task gets more attempts than it asked for",
  },
  {
    name: "journal-gap",
    file: "stores/memory/journal-table.ts",
    find: "seq: journal.length + 1, at: now",
    replace: "seq: journal.length + (entries.length > 3 ? 2 : 1), at: now",
    why: "readers of the journal wait for an entry that does not exist",
  },
  {
    name: "step-not-memoised",
    file: "runtime/worker.ts",
    find: "const isFirst = attempt <= 1 && epoch <= 1;",
    replace: "const isFirst = attempt <= 1 && epoch >= 1;",
    why: "finished steps run again after a crash",
  },
  {
    name: "stale-step-saved",
    file: "runtime/task-lease.ts",
    find: "if (now === null) throw this.#lost();\n        write(batch, now);",
    replace: "write(batch, now ?? batch.get(id)!);",
    why: "a stale worker saves steps and checkpoints over those of its successor",
  },
  {
    name: "key-looked-up-before-only",
    file: "runtime/submit.ts",
    find: "const known = (await batch.tx.byKey(key)) ?? batch.bornWithKey(key);",
    replace: "const known = batch.bornWithKey(key);",
    why: "two submissions with one key at once are both stored, or one breaks",
  },
  {
    name: "chain-takes-wrong-output",
    file: "runtime/assignment.ts",
    find: "childId(parent.id, record.slot - 1)",
    replace: "childId(parent.id, Math.max(0, record.slot - 2))",
    why: "a step gets the output of another step than the one before it",
  },
  {
    name: "commit-in-two",
    file: "runtime/committer.ts",
    find: "if (changes !== null) await tx.write(changes);",
    replace: "if (changes !== null) await tx.write({ ...changes, journal: new Map() });",
    why: "what happened is not told in the commit in which it happens",
  },
];
