import type { SignatureRecord } from "../core/record.ts";
import type { Carrier, Delivery } from "../ports/engine.ts";
import type { Change } from "./batch.ts";
import type { Commit, Committer } from "./committer.ts";
import { unattributed } from "./stray.ts";

/** News that wait while others are under way. What is more than this is left to the sweep. */
const MOST = 20_000;
/** A task that waits for its time is published ahead by this much (ms): what waits longer is published when it is ready. */
const AHEAD_MS = 60_000;

interface News {
  readonly record: SignatureRecord;
  readonly revoke: boolean;
  /** In how many ms it is to be brought, or null. Published is what has been revoked. */
  readonly publish: number | null;
}

/**
 * Tells an engine what each commit of this process has made ready, and what is not ready any more. It is told behind the commit, in bulk, and
 * nothing waits for it or fails because of it: what an engine has not been told is published again by the sweep.
 */
export class Dispatcher {
  readonly #carrier: Carrier;
  readonly #delays: boolean;
  readonly #leave: () => void;
  #news = new Map<string, News>();
  #telling: Promise<void> | null = null;
  #hasWarned = false;

  constructor(carrier: Carrier, delays: boolean, committer: Committer) {
    this.#carrier = carrier;
    this.#delays = delays;
    this.#leave = committer.listen((commit) => this.#onCommit(commit));
  }

  /** Publishes what may have been lost. */
  again(records: readonly SignatureRecord[]): Promise<void> {
    return this.#carry(() => this.#carrier.publish(records.map((record) => deliveryOf(record, 0))));
  }

  /** Listens no more; resolves when what it has heard has been told. */
  async close(): Promise<void> {
    this.#leave();
    while (this.#telling !== null) await this.#telling;
  }

  #onCommit({ at, changed }: Commit): void {
    for (const change of changed) this.#look(change, at);
    this.#begin();
  }

  #begin(): void {
    if (this.#news.size === 0) return;
    this.#telling ??= unattributed(() => this.#tell()).finally(() => {
      this.#telling = null;
      this.#begin();
    });
  }

  #look({ before, now }: Change, at: number): void {
    const was = before === null ? null : this.#delay(before, at);
    const is = this.#delay(now, at);
    if (was === null) {
      if (is !== null) this.#add(now, { publish: is });
    } else if (is === null) {
      if (now.status !== "RUNNING") this.#add(before!, { revoke: true });
    } else if (!isSame(before!, now)) {
      this.#add(before!, { revoke: true });
      this.#add(now, { publish: is });
    } else if (before!.status !== now.status || before!.dueAt !== now.dueAt) {
      // What is published stays as it is, so that a time which comes earlier takes it back first.
      this.#add(now, { revoke: was > is, publish: is });
    }
  }

  /** In how many ms a worker may take it, or null when it is nothing to tell of. */
  #delay({ kind, status, dueAt }: SignatureRecord, at: number): number | null {
    if (kind !== "task") return null;
    if (status === "READY") return 0;
    if (!this.#delays || status !== "WAITING" || dueAt === null || dueAt - at > AHEAD_MS) return null;
    return Math.max(0, dueAt - at);
  }

  #add(record: SignatureRecord, { revoke = false, publish = null }: Partial<Omit<News, "record">>): void {
    const key = `${record.id} ${record.generation} ${record.epoch}`;
    const earlier = this.#news.get(key);
    if (earlier === undefined && this.#news.size >= MOST) return;
    this.#news.set(key, { record, revoke: revoke || earlier?.revoke === true, publish });
  }

  async #tell(): Promise<void> {
    while (this.#news.size > 0) {
      const publish: Delivery[] = [];
      const revoke: Delivery[] = [];
      for (const news of this.#news.values()) {
        if (news.revoke) revoke.push(deliveryOf(news.record, 0));
        if (news.publish !== null) publish.push(deliveryOf(news.record, news.publish));
      }
      this.#news = new Map();
      if (!this.#carrier.reachable) {
        // What cannot be reached is not waited for.
        this.#warn(this.#carrier.fault ?? "it cannot be reached");
        continue;
      }
      if (revoke.length > 0) await this.#carry(() => this.#carrier.revoke(revoke));
      if (publish.length > 0) await this.#carry(() => this.#carrier.publish(publish));
    }
  }

  async #carry(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#hasWarned = false;
    } catch (error) {
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  /** Once, until something has been carried again. */
  #warn(why: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      `the engine carries nothing (${why}); until it does, workers take their tasks from the store`,
      { type: "MageFlowWarning", code: "ENGINE_UNAVAILABLE" },
    );
  }
}

function isSame(a: SignatureRecord, b: SignatureRecord): boolean {
  return a.generation === b.generation && a.epoch === b.epoch;
}

function deliveryOf({ id, generation, epoch, name, priority }: SignatureRecord, delay: number): Delivery {
  return { id, generation, epoch, name, priority, delay };
}
