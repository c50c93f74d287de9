import type { Demand } from "../../core/choose.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type {
  AuditRow,
  Changes,
  Locked,
  SpecRef,
  Stamp,
  Ticket,
  Transaction,
  WindowQuery,
  WorkerRow,
} from "../../ports/store.ts";
import { childId } from "../../core/ids.ts";
import { readable } from "../readable.ts";
import { advisoryLock } from "./advisory-locks.ts";
import type { Connection } from "./connection.ts";
import { explainInside } from "./failures.ts";
import { Gates } from "./gates.ts";
import { above, isTaskBelow, requireAbove, tellsAlike } from "../above.ts";
import type { KnownTasks } from "../known-tasks.ts";
import { insertRecords } from "./insert-records.ts";
import type { Location } from "./location.ts";
import type { OwnWrites } from "./own-writes.ts";
import { dropTags } from "./root-tags.ts";
import { toRecord } from "../server-row.ts";
import type { Versioned } from "./signature-table.ts";
import { Tables } from "./tables.ts";
import { updateRecords } from "./update-records.ts";

/** What the server says to the beginning of a transaction. */
export interface Begun {
  /** Sessions that it found alive, which they stay until it ends. */
  readonly alive: ReadonlySet<string>;
  /** By this the server knows later whether it was committed. */
  readonly number: string;
}

/** What a transaction is made from. */
interface Parts {
  readonly location: Location;
  readonly tasks: KnownTasks;
  readonly ownWrites: OwnWrites;
  readonly begun: Promise<Begun>;
  readonly now: number;
}

/** What was locked before it was asked for. */
interface Early {
  readonly ids: ReadonlySet<string>;
  /** Those that were free and are as they should be. */
  readonly found: Promise<ReadonlyMap<string, SignatureRecord>>;
}

/** The next children of a container, which were locked with it. */
interface Ahead {
  readonly limit: number;
  readonly found: Promise<SignatureRecord[]>;
}

/**
 * One transaction between `BEGIN` and its end. Each statement sees what was committed before it, and what it locks is as it is now.
 * Writes are sent without waiting for their answers, so that they and the commit are one journey; what fails is told by the commit, or
 * by the next statement.
 */
export class PostgresTransaction implements Transaction {
  readonly now: number;
  /** What the transaction is to be known by when it has committed. */
  stamp: Stamp | null = null;
  /** Sessions of workers that were asked for, and that were not known to be alive. */
  readonly asked: string[] = [];
  /** Whether there is anything to be committed. */
  hasWritten = false;
  /** Whether what it wrote was counted. */
  isCounted = false;
  readonly #db: Connection;
  readonly #tables: Tables;
  readonly #location: Location;
  readonly #gates: Gates;
  readonly #tasks: KnownTasks;
  readonly #ownWrites: OwnWrites;
  readonly #begun: Promise<Begun>;
  #number: string | null = null;
  /** What is above of what was locked, read on the same journey. */
  readonly #above = new Map<string, Versioned>();
  /** What is locked, as it is in the database: an update writes the difference. */
  readonly #locked = new Map<string, SignatureRecord>();
  /** What it has written, as it is then. */
  readonly #written = new Map<string, SignatureRecord>();
  #early: Early | null = null;
  readonly #ahead = new Map<string, Ahead>();
  /** Answers to writes that have been sent. */
  readonly #sent: Promise<void>[] = [];
  /** The first error of a statement: the server does nothing after it. */
  #failure: { readonly error: unknown } | null = null;
  #over = false;

  constructor(db: Connection, { location, tasks, ownWrites, begun, now }: Parts) {
    this.#db = db;
    this.#tables = new Tables(db);
    this.#gates = new Gates(db, location);
    this.#location = location;
    this.#tasks = tasks;
    this.#ownWrites = ownWrites;
    this.#begun = begun;
    this.now = now;
  }

  /** From here on the transaction can do nothing. */
  end(): void {
    this.#over = true;
  }

  /** Throws when a statement is known to have failed, also when that was caught: what came before it is not to be kept alone. */
  check(): void {
    if (this.#failure !== null) throw this.#explained();
  }

  /** Waits for the answers to all that was sent; returns the first failure as the connection threw it, or null. */
  async failure(): Promise<{ readonly error: unknown } | null> {
    await Promise.all(this.#sent);
    return this.#failure;
  }

  async lock(ids: readonly string[], { wait }: { wait: boolean }): Promise<Locked> {
    return this.#do(async ({ signatures }) => {
      const early = await this.#lockedEarly(ids);
      const wanted = [...new Set(ids)].filter((id) => !early.has(id));
      const records = this.#remembered([...early.values()]);
      if (wanted.length === 0) return { records, busy: [] };
      // One journey: each statement sees what those before it have waited for.
      const through = this.#gates.toLock(wanted, (id) => this.#tasks.has(id));
      const locking = this.#lock(wanted, { wait });
      if (wait) this.#lockEarly(wanted);
      else this.#lookAhead(wanted);
      const parents = above(wanted).filter(
        (id) =>
          (this.#early?.ids.has(id) !== true || this.#above.has(id)) &&
          (!this.#above.has(id) || (!wait && !this.#locked.has(id))),
      );
      const reading = parents.length === 0 ? [] : signatures.read(parents);
      const [, locked, read] = await Promise.all([through, locking, reading, this.#early?.found]);
      const changed = this.#changed(read);
      const kept = this.#remembered(locked.filter((record) => !isTaskBelow(record, changed)));
      const all = [...records, ...kept];
      if (wait || kept.length === wanted.length) return { records: all, busy: [] };
      const found = new Set(kept.map(({ id }) => id));
      return { records: all, busy: await signatures.existing(wanted.filter((id) => !found.has(id))) };
    });
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
    const { signatures } = this.#tables;
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
        this.#above.set(id, own);
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
    const { signatures } = this.#tables;
    const unknown = ids.filter((id) => this.#ownWrites.get(id) === undefined);
    if (unknown.length === ids.length) return wait ? signatures.lock(ids) : signatures.lockFree(ids);
    const [locked, read] = await Promise.all([
      signatures.lockIds(ids, { wait }),
      unknown.length === 0 ? [] : signatures.rows(unknown),
    ]);
    const records = new Map<string, SignatureRecord>();
    const changed: string[] = [];
    const held = new Set<string>();
    for (const [id, version] of locked) {
      held.add(id);
      const own = this.#ownWrites.get(id);
      if (own?.version === version) records.set(id, own.record);
      else if (own !== undefined) changed.push(id);
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
    for (const { parentId } of this.#locked.values())
      if (parentId !== null) ended.set(parentId, (ended.get(parentId) ?? 0) + 1);
    for (const id of ids) {
      const limit = ended.get(id) ?? 0;
      const container = this.#above.get(id)?.record;
      if (limit === 0 || container?.kind !== "swarm" || container.status !== "RUNNING") continue;
      const found = this.#tables.signatures.startableIfFree(id, limit);
      found.catch(() => {});
      this.#ahead.set(id, { limit, found });
    }
  }

  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => {
      const found = new Map<string, SignatureRecord>();
      const others: string[] = [];
      for (const id of new Set(ids)) {
        const known = this.#above.get(id);
        if (known === undefined) others.push(id);
        else found.set(id, known.record);
      }
      if (others.length === 0) return [...found.values()];
      const [, read] = await Promise.all([this.#gates.toRead(others), signatures.read(others)]);
      for (const one of read) {
        found.set(one.record.id, one.record);
        this.#above.set(one.record.id, one);
      }
      const missing = others.filter((id) => !found.has(id));
      await requireAbove(missing, this.#locked.values(), (below) => signatures.existing(below));
      return [...found.values()];
    });
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#do(({ specs }) => specs.get(refs));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return this.#do(({ signatures }) => signatures.byKey(key));
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(({ signatures }) => signatures.itemsByKey(parentId, keys));
  }

  async window(query: WindowQuery): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => {
      const ahead = query.what === "start" ? this.#ahead.get(query.id) : undefined;
      if (ahead !== undefined) {
        const found = await ahead.found;
        if (query.limit <= ahead.limit || found.length < ahead.limit)
          return this.#remembered(found.slice(0, query.limit));
      }
      return this.#remembered(await signatures.window(query));
    });
  }

  async ready(demand: Demand): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#passing(await signatures.ready(demand)));
  }

  async due(limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#passing(await signatures.due(this.now, limit)));
  }

  async lapsed(limit: number): Promise<WorkerRow[]> {
    return this.#do(({ workers }) => workers.lapsed(this.now, limit));
  }

  async alive(workerId: string): Promise<boolean> {
    return this.#do(async ({ workers }) => {
      if ((await this.#begun).alive.has(workerId)) return true;
      this.asked.push(workerId);
      return (await workers.alive([workerId])).has(workerId);
    });
  }

  async heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) =>
      this.#remembered(await signatures.heldByWorker(workerId, limit)),
    );
  }

  async owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.owing(parentId, limit)));
  }

  async owed(limit: number): Promise<string[]> {
    return this.#do(({ signatures }) => signatures.owed(limit));
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#do(({ signatures }) => signatures.sweeping(limit));
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#do(({ waiting }) => waiting.awaited(ids));
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#do(({ pages }) => pages.tally(parentId, statuses));
  }

  async purgeable(limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.purgeable(this.now, limit)));
  }

  async underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.underWayIn(rootId, limit)));
  }

  async lastAudit(): Promise<AuditRow | null> {
    return this.#do(async ({ audit }) => {
      await this.#db.exec(advisoryLock(this.#location, "audit"));
      return audit.last();
    });
  }

  async lastStart(): Promise<number | null> {
    return this.#do(async ({ reports }) => {
      await this.#db.exec(advisoryLock(this.#location, "starts"));
      return reports.lastStart();
    });
  }

  async ticket(token: string): Promise<Ticket | null> {
    return this.#do(({ tickets }) => tickets.get(token, this.now));
  }

  async abandoned(before: number, limit: number): Promise<string[]> {
    return this.#do(({ drafts }) => drafts.abandoned(before, limit));
  }

  async discard(rootId: string, limit: number): Promise<boolean> {
    return this.#do(async ({ drafts }) => {
      await this.#begins();
      return drafts.discard(rootId, limit);
    });
  }

  async write(changes: Changes): Promise<void> {
    return this.#do(async () => {
      if (isEmpty(changes)) return;
      await this.#begins();
      await this.#write(changes);
    });
  }

  /** The number of a transaction that has written, by which it can be asked for later. */
  get number(): string {
    return this.#number!;
  }

  /** What it has written, as it is when it has committed. */
  get written(): Iterable<SignatureRecord> {
    return this.#written.values();
  }

  /** Nothing is written before the server has said that it began. */
  async #begins(): Promise<void> {
    this.hasWritten = true;
    this.#number = (await this.#begun).number;
  }

  async #write(changes: Changes): Promise<void> {
    const { drafts, specs, journals, logs, notes, workers, tombstones, audit, tickets, reports } =
      this.#tables;
    const steps = changes.drafts ?? [];
    if (steps.length > 0) await drafts.prepare(steps, this.now);
    // What is stored may have a key that another root gives up here.
    await this.#update(changes.update ?? []);
    this.#insert(changes.insert ?? []);
    this.#send(specs.put(changes.specs ?? []));
    const lines = changes.logs ?? [];
    this.isCounted ||= (changes.journal?.size ?? 0) > 0;
    this.#send(
      journals.append(
        changes.journal ?? NOTHING,
        lines.map(({ rootId }) => rootId),
        this.now,
      ),
    );
    this.#send(logs.append(lines));
    this.#send(notes.put(changes));
    this.#send(workers.put(changes.workers ?? []));
    this.#send(tombstones.put(changes.tombstones ?? []));
    this.#send(audit.append(changes.audit ?? []));
    this.#send(tickets.put(changes.tickets ?? [], this.now));
    this.#send(reports.put(changes.reports ?? []));
    if (changes.stamp !== undefined) this.stamp = changes.stamp;
    this.#send(drafts.finish(steps));
    const condemned = steps.flatMap((step) => ("condemn" in step ? step.condemn : []));
    if (condemned.length > 0) await this.#condemn(condemned);
  }

  #insert(records: readonly SignatureRecord[]): void {
    if (records.length === 0) return;
    this.#send(insertRecords(this.#db, records));
    // Those that wait for their turn are read in windows, not by their ids.
    for (const record of records) if (record.status !== "PENDING") this.#written.set(record.id, record);
  }

  async #update(records: readonly SignatureRecord[]): Promise<void> {
    const unknown = records.flatMap(({ id }) => (this.#locked.has(id) ? [] : id));
    if (unknown.length > 0) this.#remembered(await this.#tables.signatures.lock([...new Set(unknown)]));
    const updates = records.map((now) => {
      const before = this.#locked.get(now.id);
      if (before === undefined) throw new Error(`there is no signature "${now.id}" to update`);
      this.#locked.set(now.id, now);
      this.#written.set(now.id, now);
      return { before, now };
    });
    this.#send(updateRecords(this.#db, updates));
  }

  async #condemn(rootIds: readonly string[]): Promise<void> {
    const roots = this.#remembered(await this.#tables.signatures.lock([...new Set(rootIds)]));
    this.#send(dropTags(this.#db, roots));
    await this.#tables.drafts.condemn(rootIds);
    for (const id of rootIds) {
      this.#written.delete(id);
      this.#ownWrites.delete(id);
    }
  }

  #remembered<R extends readonly SignatureRecord[]>(records: R): R {
    for (const record of records) this.#locked.set(record.id, record);
    this.#tasks.add(records);
    return records;
  }

  /**
   * Without what is below something that is being given an order, or that has changed since this transaction read it: it is there again when
   * that is done.
   */
  async #passing(records: readonly SignatureRecord[]): Promise<SignatureRecord[]> {
    const parents = above(records.map(({ id }) => id));
    if (parents.length === 0) return [...this.#remembered(records)];
    const [isOpen, read] = await Promise.all([
      this.#gates.passable(parents),
      this.#tables.signatures.read(parents.filter((id) => !this.#locked.has(id))),
    ]);
    const changed = this.#changed(read.filter(({ record: { id } }) => isOpen(id) || this.#above.has(id)));
    const passes = (id: string): boolean => isOpen(id) && !changed.has(id);
    return [...this.#remembered(records.filter(({ id }) => above([id]).every(passes)))];
  }

  /** Which of these tell something else to what stands below them than when this transaction read them; the others are remembered. */
  #changed(read: readonly Versioned[]): Set<string> {
    const changed = new Set<string>();
    for (const one of read) {
      const known = this.#above.get(one.record.id);
      if (known === undefined) this.#above.set(one.record.id, one);
      else if (known.version !== one.version && !tellsAlike(known.record, one.record))
        changed.add(one.record.id);
    }
    return changed;
  }

  #send(answers: readonly Promise<unknown>[]): void {
    for (const answer of answers) {
      this.#sent.push(
        answer.then(
          () => {},
          (error: unknown) => this.#fail(error),
        ),
      );
    }
  }

  /** Nothing is done after an error, whose followers only say that there was one. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  async #do<T>(work: (tables: Tables) => T | Promise<T>): Promise<T> {
    if (this.#over) throw new Error("the transaction is over: something it started was not awaited");
    this.check();
    try {
      return await work(this.#tables);
    } catch (error) {
      // What was sent before it may be what failed.
      await Promise.all(this.#sent);
      this.#fail(error);
      throw this.#explained();
    }
  }

  #explained(): unknown {
    return explainInside(this.#failure!.error, this.#location);
  }
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

function isEmpty(changes: Changes): boolean {
  return Object.values(changes).every((part: unknown) =>
    Array.isArray(part) ? part.length === 0 : part instanceof Map ? part.size === 0 : part === undefined,
  );
}
