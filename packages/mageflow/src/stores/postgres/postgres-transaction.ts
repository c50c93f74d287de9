import type { SignatureRecord } from "../../core/record.ts";
import type { Changes, Locked, WindowQuery } from "../../ports/store.ts";
import { childId } from "../../core/ids.ts";
import { readable } from "../readable.ts";
import { type Purpose, ServerTransaction, type TransactionParts } from "../server-transaction.ts";
import { advisoryLock } from "./advisory-locks.ts";
import type { Connection } from "./connection.ts";
import type { Gates } from "./gates.ts";
import { above, isTaskBelow } from "../above.ts";
import type { Location } from "./location.ts";
import type { OwnWrites } from "./own-writes.ts";
import { toRecord } from "../signature-row.ts";
import type { Tables } from "./tables.ts";
import type { Turn, Turns } from "./turns.ts";

/** What the server says to the beginning of a transaction. */
export interface Begun {
  /** Sessions that it found alive, which they stay until it ends. */
  readonly alive: ReadonlySet<string>;
  /** By this the server knows whether it is under way. */
  readonly number: string;
}

interface Parts extends TransactionParts<Tables, Gates> {
  readonly location: Location;
  readonly ownWrites: OwnWrites;
  readonly turns: Turns;
  readonly begun: Promise<Begun>;
}

/** What was locked before it was asked for. */
interface Early {
  readonly ids: ReadonlySet<string>;
  /** Those that were free and are as they should be. */
  readonly found: Promise<ReadonlyMap<string, SignatureRecord>>;
}

/** The next children of a container, which were locked with it; behind some place only, or all that there are. */
interface Ahead {
  readonly limit: number;
  readonly isBehind: boolean;
  readonly found: Promise<SignatureRecord[]>;
}

/** A transaction of PostgreSQL, which locks ahead what will be asked for next, and reads nothing that this process has written itself. */
export class PostgresTransaction extends ServerTransaction<Tables, Gates> {
  /** Whether what it wrote was counted. */
  isCounted = false;
  readonly #db: Connection;
  readonly #location: Location;
  readonly #ownWrites: OwnWrites;
  readonly #begun: Promise<Begun>;
  #number: string | null = null;
  /** What it has written, as it is then. */
  readonly #written = new Map<string, SignatureRecord>();
  #early: Early | null = null;
  readonly #ahead = new Map<string, Ahead>();
  readonly #turns: Turns;
  /** How many transactions of this process had made something startable when it began. */
  readonly reopenedBefore: number;
  /** Containers that have something waiting for its turn that had not, or that waits for another turn. */
  readonly #reopened = new Set<string>();
  /** Children that were found to be started, by their container and in their order. */
  readonly #next = new Map<string, SignatureRecord[]>();

  constructor(db: Connection, { location, ownWrites, turns, begun, ...parts }: Parts) {
    super(parts);
    this.#db = db;
    this.#location = location;
    this.#ownWrites = ownWrites;
    this.#turns = turns;
    this.reopenedBefore = turns.reopened;
    this.#begun = begun;
  }

  /** The number of a transaction that has written, by which it can be asked for later. */
  get number(): string {
    return this.#number!;
  }

  /** What it has written, as it is when it has committed. */
  get written(): Iterable<SignatureRecord> {
    return this.#written.values();
  }

  /** The last one of each container's children that it has started; null when it has made some startable. */
  get started(): Map<string, Turn | null> {
    const started = new Map<string, Turn | null>();
    for (const [parentId, next] of this.#next) {
      const end = next.findIndex(({ id }) => !this.#written.has(id));
      const last = next.slice(0, end === -1 ? next.length : end).at(-1);
      if (last !== undefined) started.set(parentId, last);
    }
    for (const parentId of this.#reopened) started.set(parentId, null);
    return started;
  }

  lock(ids: readonly string[], { wait }: { wait: boolean }): Promise<Locked> {
    return this.statements.ask(async () => {
      const { signatures } = this.tables;
      // Of what was busy when it was asked for last, nothing has come with it.
      for (const id of ids) this.#ahead.delete(id);
      const early = await this.#lockedEarly(ids);
      const wanted = [...new Set(ids)].filter((id) => !early.has(id));
      const records = this.remembered([...early.values()]);
      if (wanted.length === 0) return { records, busy: [] };
      // One journey: each statement sees what those before it have waited for.
      const through = this.gates.toLock(wanted, (id) => this.tasks.has(id));
      const locking = this.#lock(wanted, { wait });
      if (wait) this.#lockEarly(wanted);
      else this.#lookAhead(wanted);
      const parents = above(wanted).filter(
        (id) =>
          (this.#early?.ids.has(id) !== true || this.above.has(id)) &&
          (!this.above.has(id) || (!wait && !this.locked.has(id))),
      );
      const reading = parents.length === 0 ? [] : signatures.read(parents);
      const [, locked, read] = await Promise.all([through, locking, reading, this.#early?.found]);
      const changed = this.changed(read);
      const kept = this.remembered(locked.filter((record) => !isTaskBelow(record, changed)));
      const all = [...records, ...kept];
      if (wait || kept.length === wanted.length) return { records: all, busy: [] };
      const found = new Set(kept.map(({ id }) => id));
      return { records: all, busy: await signatures.existing(wanted.filter((id) => !found.has(id))) };
    });
  }

  override window(query: WindowQuery): Promise<SignatureRecord[]> {
    if (query.what !== "start") return super.window(query);
    return this.statements.ask(async () => {
      const found = this.remembered(await this.#startable(query));
      this.#next.set(query.id, [...(this.#next.get(query.id) ?? []), ...found]);
      return found;
    });
  }

  async #startable(query: WindowQuery): Promise<SignatureRecord[]> {
    const { id, limit } = query;
    const { signatures } = this.tables;
    const ahead = this.#ahead.get(id);
    if (ahead !== undefined) {
      const found = await ahead.found;
      const isAll = !ahead.isBehind && found.length < ahead.limit;
      if (isAll || limit <= found.length) return found.slice(0, limit);
    }
    const after = ahead === undefined ? this.#turns.after(id) : null;
    if (after !== null) {
      const found = await signatures.startableAfter(id, limit, after);
      if (found.length === limit) return found;
    }
    return signatures.window(query);
  }

  protected async knownAlive(): Promise<ReadonlySet<string>> {
    return (await this.#begun).alive;
  }

  protected async onlyOne(purpose: Purpose): Promise<void> {
    await this.#db.exec(advisoryLock(this.#location, purpose));
  }

  /** Nothing is written before the server has said that it began. */
  protected override async begins({ journal }: Changes): Promise<void> {
    this.#number = (await this.#begun).number;
    this.isCounted ||= (journal?.size ?? 0) > 0;
  }

  /** Those that wait for their turn are read in windows, not by their ids. */
  protected override wrote(record: SignatureRecord): void {
    if (record.status === "PENDING") {
      this.#written.delete(record.id);
      if (record.parentId !== null) this.#reopened.add(record.parentId);
    } else {
      this.#written.set(record.id, record);
    }
  }

  protected override condemned(rootIds: readonly string[]): void {
    for (const id of rootIds) {
      this.#written.delete(id);
      this.#ownWrites.delete(id);
    }
  }

  /**
   * A step that is locked mostly ends, which its chain is told of and then the next step. Both are locked with it, if they are free: nobody
   * else has anything to do with them meanwhile.
   */
  #lockEarly(ids: readonly string[]): void {
    if (this.#early !== null) return;
    const chains: string[] = [];
    const steps: string[] = [];
    for (const id of ids) {
      const step = this.#ownWrites.get(id)?.record;
      if (step?.role !== "step" || step.status !== "RUNNING") continue;
      if (this.#ownWrites.get(step.parentId!) === undefined) continue;
      chains.push(step.parentId!);
      steps.push(childId(step.parentId!, step.slot + 1));
    }
    if (chains.length === 0) return;
    const { signatures } = this.tables;
    const found = (async () => {
      const [held, next] = await Promise.all([
        signatures.lockIds(chains, { wait: false }),
        signatures.freeRows(steps),
      ]);
      const records = readable(next, toRecord);
      for (const [id, version] of held) {
        const own = this.#ownWrites.get(id);
        if (own?.version !== version) continue;
        records.push(own.record);
        // It is what its step stands below.
        this.above.set(id, own.record);
      }
      return new Map(records.map((record) => [record.id, record]));
    })();
    found.catch(() => {});
    this.#early = { ids: new Set([...chains, ...steps]), found };
  }

  async #lockedEarly(ids: readonly string[]): Promise<ReadonlyMap<string, SignatureRecord>> {
    const locked = new Map<string, SignatureRecord>();
    // What this transaction has written since is not what was found.
    if (this.#early === null || this.hasWritten) return locked;
    const found = await this.#early.found;
    for (const id of ids) {
      const record = found.get(id);
      if (record !== undefined) locked.set(id, record);
    }
    return locked;
  }

  /** Of what this process has written itself nothing is read but whether anybody else has written it since. */
  async #lock(ids: readonly string[], { wait }: { wait: boolean }): Promise<SignatureRecord[]> {
    const { signatures } = this.tables;
    const unknown = new Set(ids.filter((id) => this.#ownWrites.get(id) === undefined));
    if (unknown.size === ids.length) return wait ? signatures.lock(ids) : signatures.lockFree(ids);
    const [locked, read] = await Promise.all([
      signatures.lockIds(ids, { wait }),
      unknown.size === 0 ? [] : signatures.rows([...unknown]),
    ]);
    const records = new Map<string, SignatureRecord>();
    const changed: string[] = [];
    const held = new Set<string>();
    for (const [id, version] of locked) {
      held.add(id);
      const own = this.#ownWrites.get(id);
      if (own?.version === version) records.set(id, own.record);
      else if (!unknown.has(id)) changed.push(id);
    }
    const others = changed.length === 0 ? read : [...read, ...(await signatures.rows(changed))];
    for (const row of others) if (held.has(row[0])) records.set(row[0], toRecord(row));
    return locked.flatMap(([id]) => records.get(id) ?? []);
  }

  /**
   * A swarm that is locked to be credited mostly starts as many of its next children as have ended: they come with it. They are looked
   * for only if it is free.
   */
  #lookAhead(ids: readonly string[]): void {
    const ended = new Map<string, number>();
    for (const { parentId } of this.locked.values())
      if (parentId !== null) ended.set(parentId, (ended.get(parentId) ?? 0) + 1);
    for (const id of ids) {
      const limit = ended.get(id) ?? 0;
      const container = this.above.get(id);
      if (limit === 0 || container?.kind !== "swarm" || container.status !== "RUNNING") continue;
      const after = this.#turns.after(id);
      const found = this.tables.signatures.startableIfFree(id, limit, after);
      found.catch(() => {});
      this.#ahead.set(id, { limit, isBehind: after !== null, found });
    }
  }
}
