import { randomUUID } from "node:crypto";
import type { TestContext } from "vitest";
import { MILESTONE, type SignatureRecord } from "../../core/record.ts";
import type { Changes, Damage, Store, Transaction } from "../../ports/store.ts";
import type { Capability, StoreHarness } from "./harness.ts";

/** Keeps the ids of this process apart from those of any other that used the same database, and behind those of earlier ones. */
const RUN = `${Date.now().toString(36)}${randomUUID().slice(0, 4)}`;
const PAGE = 500;
let scenes = 0;

/** What one case plays on: a store, ids of its own, and its leftovers put to rest at the end. */
export class Scene implements AsyncDisposable {
  /** The id of a root; every other id of the case starts with it. */
  readonly id: string;
  readonly #harness: StoreHarness;
  readonly #before: string;
  #store: Store;
  #isEdited = false;

  constructor(harness: StoreHarness, store: Store) {
    const number = `s${RUN}${String(++scenes).padStart(6, "0")}`;
    this.#before = `${number}a`;
    this.id = `${number}b`;
    this.#harness = harness;
    this.#store = store;
  }

  get store(): Store {
    return this.#store;
  }

  /** Asks inside a transaction that changes nothing. */
  ask<T>(question: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#store.transact(question);
  }

  /** Writes in a transaction of its own and returns its time. */
  write(changes: Changes): Promise<number> {
    return this.#store.transact(async (tx) => {
      const ids = changes.update?.map(({ id }) => id) ?? [];
      if (ids.length > 0) await tx.lock(ids, { wait: true });
      await tx.write(changes);
      return tx.now;
    });
  }

  insert(...records: SignatureRecord[]): Promise<number> {
    return this.write({ insert: records });
  }

  update(...records: SignatureRecord[]): Promise<number> {
    return this.write({ update: records });
  }

  async get(id: string): Promise<SignatureRecord | undefined> {
    return (await this.#store.get([id]))[0];
  }

  /** Those of this case. */
  own<T extends string | { readonly id: string }>(found: readonly T[]): T[] {
    return found.filter((one) => (typeof one === "string" ? one : one.id).startsWith(this.id));
  }

  /** Closes the store and opens its database anew. */
  async reopen(): Promise<void> {
    this.#store = await this.#harness.reopen!(this.#store);
  }

  /** The damage of this case. */
  async damage(): Promise<Damage[]> {
    const all = await this.#store.damage(PAGE);
    return all.filter(({ id }) => id?.startsWith(this.id) === true);
  }

  /** Runs statements past the store; at the end of the case nothing is left of it. */
  async edit(sql: string): Promise<void> {
    this.#isEdited = true;
    await this.#harness.edit!(this.#store, sql);
  }

  /** A page of this case's records in the order of ids. */
  async scan(after: string | null, limit: number): Promise<SignatureRecord[]> {
    return this.own(await this.#store.scan({ after: after ?? this.#before, limit }));
  }

  /** Leaves nothing that would be ready, due, owed, swept, held or unsettled in the next case on the same database. */
  async rest(): Promise<void> {
    if (this.#isEdited) await this.#wipe();
    for (let after: string | null = null; ;) {
      const page: SignatureRecord[] = await this.scan(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
      await this.update(...page.map(atRest));
    }
    const workers = this.own(await this.#store.workers(PAGE));
    if (workers.length > 0) await this.write({ workers: workers.map((row) => ({ ...row, endedAt: 0 })) });
    const drafts = await this.ask((tx) => tx.abandoned(Number.MAX_SAFE_INTEGER, PAGE));
    for (const rootId of this.own(drafts)) {
      while (!(await this.ask((tx) => tx.discard(rootId, PAGE))));
    }
  }

  /** What was damaged cannot be put to rest. */
  async #wipe(): Promise<void> {
    const own = `LIKE '${this.id}%'`;
    const byRoot = ["signatures", "births", "root_tags", "drafts", "specs", "journal", "logs"];
    const byId = ["steps", "checkpoints", "progress", "tombstones", "workers"];
    await this.edit(
      [
        ...byRoot.map((table) => `DELETE FROM ${table} WHERE root_id ${own}`),
        ...byId.map((table) => `DELETE FROM ${table} WHERE id ${own}`),
      ].join("; "),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.rest();
    } finally {
      await this.#harness.destroy(this.#store);
    }
  }
}

function atRest(record: SignatureRecord): SignatureRecord {
  return {
    ...record,
    status: "SKIPPED",
    prior: null,
    heldBy: null,
    workerId: null,
    dueAt: null,
    deadlineAt: null,
    sweep: null,
    stop: null,
    deletion: null,
    milestone: MILESTONE.SETTLED,
    credited: MILESTONE.SETTLED,
  };
}

/** A test that plays on a store of the harness; skipped, with the reason, where a capability it `needs` is missing. */
export function onStore(
  harness: StoreHarness,
  play: (scene: Scene) => Promise<void>,
  needs?: Capability,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const reason = needs === undefined ? undefined : missing(harness, needs);
    if (reason !== undefined) context.skip(`${needs}: ${reason}`);
    await using scene = new Scene(harness, await harness.create());
    await play(scene);
  };
}

function missing(harness: StoreHarness, capability: Capability): string | undefined {
  if (capability === "durable" && harness.reopen === undefined) return harness.skip?.durable ?? "no reopen";
  if (capability === "editable" && harness.edit === undefined) return harness.skip?.editable ?? "no edit";
  return harness.skip?.[capability];
}
