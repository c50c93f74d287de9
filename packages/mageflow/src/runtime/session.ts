import { hostname } from "node:os";
import type { ResumeRules } from "../core/recovery.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, WorkerRow } from "../ports/store.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import { noteGoingOn } from "./going-on.ts";
import { type Heartbeat, keepAlive } from "./heartbeat.ts";
import type { WorkerSettings } from "./worker-options.ts";

interface SessionParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  /** What becomes of its tasks when it is lost. */
  readonly autoResume: ResumeRules;
  readonly settings: WorkerSettings;
}

/**
 * One life of a worker, as the store knows it: a row, whose lease a heartbeat extends, and under which all its tasks are held.
 * A session that was declared dead never lives again; its worker begins another.
 */
export class Session {
  readonly id: string;
  readonly #parts: SessionParts;
  #startedAt: number | null = null;
  #heartbeat: Heartbeat | null = null;

  constructor(id: string, parts: SessionParts) {
    this.id = id;
    this.#parts = parts;
  }

  /** Stores its row and keeps it alive; `onLost` is called once, when it was declared dead all the same. */
  async register(onLost: () => void): Promise<void> {
    const { store, clock, committer, settings } = this.#parts;
    await committer.run({
      locks: [],
      apply: (batch) => void batch.extras.workers.push(this.#row(batch, null)),
    });
    const { lease, interval } = settings;
    this.#heartbeat = keepAlive({ store, clock, session: this.id, lease, interval, onLost });
  }

  /** Extends its lease no more. Resolves when the heartbeat has let go of the store. */
  async silence(): Promise<void> {
    await this.#heartbeat?.stop();
  }

  /** Ends it for good, in one transaction with what it still holds. */
  async end(): Promise<void> {
    const silent = this.silence();
    await this.#parts.committer.run({
      locks: [],
      apply: async (batch) => {
        await this.#handBack(batch);
        batch.extras.workers.push(this.#row(batch, batch.now));
      },
    });
    await silent;
  }

  /** Nobody looks for tasks under a session that has ended, so it ends holding none. */
  async #handBack(batch: Batch): Promise<void> {
    const held = await batch.tx.heldByWorker(this.id, this.#parts.settings.concurrency);
    const ids = held.map(({ id }) => id);
    await batch.lock(ids, { wait: true });
    for (const id of ids) {
      const record = batch.get(id)!;
      noteGoingOn(batch, batch.tell(record, { type: "release", epoch: record.epoch }));
    }
  }

  #row(batch: Batch, endedAt: number | null): WorkerRow {
    const { settings, autoResume } = this.#parts;
    this.#startedAt ??= batch.now;
    return {
      id: this.id,
      host: hostname(),
      pid: process.pid,
      tasks: [...settings.handlers.keys()],
      concurrency: settings.concurrency,
      autoResume,
      startedAt: this.#startedAt,
      leaseUntil: batch.now + settings.lease,
      endedAt,
    };
  }
}
