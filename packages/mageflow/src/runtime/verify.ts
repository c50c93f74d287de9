import { describeThrown, StoreError } from "../core/errors.ts";
import { rootOf } from "../core/ids.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, WorkerRow } from "../ports/store.ts";
import { UnreadableError } from "../ports/unreadable.ts";
import { verifyAudit } from "./audit.ts";
import { butUnreadable } from "./but-unreadable.ts";
import { checkFamily, count, newRecount, type Recount } from "./verify-family.ts";
import { checkJournal, countOutcome, newOutcomes, type Outcomes } from "./verify-journal.ts";
import { checkSignature, type Finding, type Surroundings } from "./verify-signature.ts";
import { SpecDigests } from "./verify-specs.ts";

/**
 * A place where a store contradicts what MageFlow promises of it, or, as a warning, may come to. Of the store itself and of its audit
 * trail, `id` and `rootId` are the name of the store.
 */
export interface Breach extends Finding {
  readonly id: string;
  readonly rootId: string;
}

/** What an audit has looked at so far. */
export interface Audited {
  readonly signatures: number;
  readonly workflows: number;
  /** Journal entries. */
  readonly events: number;
}

export interface VerifyOptions {
  /** Called after every page of records and at the end. */
  readonly onProgress?: (audited: Audited) => void;
}

const PAGE = 500;
/** Damages of the store itself that are told. */
const DAMAGES = 100;
/** Sessions that are known by name; a store keeps far fewer that can still hold a lease. */
const SESSIONS = 10_000;
/** Times a family is counted anew while it changes under the count. */
const RECOUNTS = 5;
/** What adds up to nothing. */
const CHILDLESS: Readonly<Recount> = newRecount();

/** A signature whose subtree is being read. */
interface Frame {
  readonly record: SignatureRecord;
  /** Null until the first child or callback. */
  recount: Recount | null;
  /** Of a root. */
  readonly workflow: Workflow | null;
}

interface Workflow {
  readonly outcomes: Outcomes;
  readonly lastSeq: number;
}

/**
 * Audits a store: asks it whether it is sound itself, then reads every record and journal once and yields what breaks an invariant. Ids are paths, so that their order is a
 * walk through each tree from the root down: only the signatures above the current one are remembered, whatever the size.
 *
 * Work may go on meanwhile. Whatever looks broken is read again in one piece and counts only if it still does.
 */
export async function* verifyStore(
  store: Store,
  clock: Clock,
  options: VerifyOptions = {},
): AsyncGenerator<Breach, Audited> {
  const damage = await store.damage(DAMAGES);
  for (const { id, message } of damage) {
    if (id === null) yield below(store, message);
    else yield { invariant: "STORE", severity: "breach", message, id, rootId: rootOf(id) };
  }
  const audit = new Audit(store);
  try {
    yield* walk(store, clock, options, audit);
    const { ok, brokenAt } = await verifyAudit(store);
    if (!ok) yield below(store, `the audit trail is not as it was written from row ${brokenAt} on`, "AUDIT");
  } catch (error) {
    // What cannot be read in a broken store is one more breach, where anything else went wrong it is the audit that failed.
    const isStoreError = error instanceof StoreError;
    if (isStoreError ? error.code !== "STORE_CORRUPT" : damage.length === 0) throw error;
    yield below(store, `the audit ends here, for it cannot be read on: ${describeThrown(error).message}`);
    options.onProgress?.(audit.audited);
  }
  return audit.audited;
}

function below({ name }: Store, message: string, invariant: Breach["invariant"] = "STORE"): Breach {
  return { invariant, severity: "breach", message, id: name, rootId: name };
}

async function* walk(
  store: Store,
  clock: Clock,
  options: VerifyOptions,
  audit: Audit,
): AsyncGenerator<Breach, void> {
  let after: string | null = null;
  for (;;) {
    const page: SignatureRecord[] = await store.scan({ after, limit: PAGE });
    await audit.prepare(page);
    for (const record of page) yield* audit.visit(record);
    const done = page.length < PAGE;
    if (done) yield* audit.finish();
    options.onProgress?.(audit.audited);
    await clock.turn();
    if (done) return;
    after = page.at(-1)!.id;
  }
}

class Audit {
  readonly #store: Store;
  readonly #specs: SpecDigests;
  readonly #path: Frame[] = [];
  #previous = new Map<string, SignatureRecord>();
  #sessions = new Map<string, WorkerRow>();
  #attended: ReadonlySet<string> = new Set();
  #now = 0;
  #signatures = 0;
  #workflows = 0;
  #events = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#specs = new SpecDigests(store);
  }

  get audited(): Audited {
    return { signatures: this.#signatures, workflows: this.#workflows, events: this.#events };
  }

  /** Loads what stands beside the records of a page. */
  async prepare(page: readonly SignatureRecord[]): Promise<void> {
    await this.#specs.load([...this.#path.map(({ record }) => record), ...page]);
    const steps = page.flatMap((record) => previousId(record) ?? []);
    this.#previous = new Map();
    if (steps.length > 0) for (const record of await this.#get(steps)) this.#previous.set(record.id, record);
    await this.#lookAround();
  }

  async #lookAround(): Promise<void> {
    this.#now = await this.#store.transact(async (tx) => tx.now);
    this.#sessions = new Map((await this.#store.workers(SESSIONS)).map((row) => [row.id, row]));
    const live = [...this.#sessions.values()].filter(
      ({ endedAt, leaseUntil }) => endedAt === null && leaseUntil > this.#now,
    );
    this.#attended = new Set(live.flatMap(({ tasks }) => tasks));
  }

  async *visit(record: SignatureRecord): AsyncGenerator<Breach> {
    while (this.#path.length > 0 && !isInside(record.id, this.#path.at(-1)!.record.id)) yield* this.#leave();
    this.#signatures++;
    const parent = this.#path.at(-1);
    if (parent !== undefined && parent.record.id === record.parentId) {
      parent.recount ??= newRecount();
      count(parent.recount, parent.record, record);
    }
    const workflow = this.#path[0]?.workflow ?? null;
    if (workflow !== null) countOutcome(workflow.outcomes, record);
    const find = (id: string | null): SignatureRecord | undefined =>
      this.#path.findLast((frame) => frame.record.id === id)?.record;
    const before = previousId(record);
    const around = this.#around(
      record,
      find(record.parentId),
      find(record.heldBy),
      before === null ? undefined : this.#previous.get(before),
      this.#path.at(-2)?.record,
    );
    if (checkSignature(record, around).length > 0) yield* this.#confirm(record);
    this.#path.push({
      record,
      recount: null,
      workflow: record.parentId === null ? await this.#enter(record) : null,
    });
  }

  async *finish(): AsyncGenerator<Breach> {
    while (this.#path.length > 0) yield* this.#leave();
  }

  async #enter(root: SignatureRecord): Promise<Workflow> {
    this.#workflows++;
    const outcomes = newOutcomes();
    countOutcome(outcomes, root);
    return { outcomes, lastSeq: await this.#store.lastSeq(root.id) };
  }

  /** Everything under the innermost signature has been seen. */
  async *#leave(): AsyncGenerator<Breach> {
    const { record, recount, workflow } = this.#path.pop()!;
    const parent = this.#path.at(-1)?.record;
    if (checkFamily(record, recount ?? CHILDLESS, this.#specsOf(record, parent)).length > 0)
      yield* this.#recount(record);
    if (workflow === null) return;
    const quiet = (await this.#store.lastSeq(record.id)) === workflow.lastSeq;
    try {
      const { events, findings } = await checkJournal(
        this.#store,
        record.id,
        quiet ? workflow.outcomes : null,
      );
      this.#events += events;
      if (findings.length > 0) yield* this.#reread(record);
    } catch (error) {
      // The store itself has told what is wrong with it.
      if (!(error instanceof UnreadableError)) throw error;
    }
  }

  /** The store itself has told of what cannot be read. */
  #get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return butUnreadable(
      ids,
      (some) => this.#store.get(some),
      () => {},
    );
  }

  /**
   * Holds a journal once more against its workflow. A commit that came after the page with the root was read, and before its journal was
   * looked at, looks like one that tells too much.
   */
  async *#reread({ id }: SignatureRecord): AsyncGenerator<Breach> {
    const before = await this.#store.lastSeq(id);
    const outcomes = await this.#outcomes(id);
    // What was removed meanwhile took its journal along.
    if (outcomes === null) return;
    let { findings } = await checkJournal(this.#store, id, outcomes);
    if ((await this.#store.lastSeq(id)) !== before)
      ({ findings } = await checkJournal(this.#store, id, null));
    if (findings.length > 0 && (await this.#get([id])).length === 0) return;
    for (const finding of findings) yield { ...finding, id, rootId: id };
  }

  /** Counts how all of a workflow has ended; null when it is gone. */
  async #outcomes(rootId: string): Promise<Outcomes | null> {
    const [root] = await this.#get([rootId]);
    if (root === undefined) return null;
    const outcomes = newOutcomes();
    countOutcome(outcomes, root);
    for (let after = rootId; ;) {
      const page = await this.#store.scan({ after, limit: PAGE });
      const inside = page.filter((record) => record.rootId === rootId);
      for (const record of inside) countOutcome(outcomes, record);
      if (inside.length < PAGE) return outcomes;
      after = inside.at(-1)!.id;
    }
  }

  /** Looks again at a signature that looks broken, together with all that stands around it. */
  async *#confirm({ id, rootId }: SignatureRecord): AsyncGenerator<Breach> {
    await this.#lookAround();
    // Who holds it may have changed: the ids come from the record as it is now.
    const [seen] = await this.#get([id]);
    if (seen === undefined) return;
    const wanted = [id, seen.parentId, seen.heldBy, previousId(seen)].filter((other) => other !== null);
    const found = new Map((await this.#get(wanted)).map((record) => [record.id, record]));
    const record = found.get(id);
    if (record === undefined) return;
    const find = (other: string | null): SignatureRecord | undefined =>
      other === null ? undefined : found.get(other);
    const parent = find(record.parentId);
    const grandparentId = parent?.parentId ?? null;
    const [grandparent] = grandparentId === null ? [] : await this.#get([grandparentId]);
    await this.#specs.load([...found.values(), ...(grandparent === undefined ? [] : [grandparent])]);
    const around = this.#around(record, parent, find(record.heldBy), find(previousId(record)), grandparent);
    for (const finding of checkSignature(record, around)) yield { ...finding, id, rootId };
  }

  /** Counts one family again until it stands still for the time of the count, and reports what two such counts agree on. */
  async *#recount({ id, rootId }: SignatureRecord): AsyncGenerator<Breach> {
    let last: string | null = null;
    for (let round = 0; round < RECOUNTS; round++) {
      const before = await this.#read(id);
      if (before === null) return;
      const recount = newRecount();
      for (const which of ["children", "callbacks"] as const)
        await this.#countAll(recount, before.record, which);
      const after = await this.#read(id);
      if (after === null) return;
      if (JSON.stringify(before.record) !== JSON.stringify(after.record)) continue;
      await this.#specs.load([after.record, ...(after.parent === undefined ? [] : [after.parent])]);
      const findings = checkFamily(after.record, recount, this.#specsOf(after.record, after.parent));
      const text = JSON.stringify(findings);
      if (findings.length === 0) return;
      if (text === last) {
        for (const finding of findings) yield { ...finding, id, rootId };
        return;
      }
      last = text;
    }
    const message = "it changes faster than its children can be counted; verify again when it is quiet";
    yield { invariant: "I5", severity: "warning", message, id, rootId };
  }

  async #read(id: string): Promise<{ record: SignatureRecord; parent: SignatureRecord | undefined } | null> {
    const [record] = await this.#get([id]);
    if (record === undefined) return null;
    const [parent] = record.parentId === null ? [] : await this.#get([record.parentId]);
    return { record, parent };
  }

  async #countAll(recount: Recount, parent: SignatureRecord, of: "children" | "callbacks"): Promise<void> {
    let after: number | string | null = null;
    for (;;) {
      const page: SignatureRecord[] = await this.#store.children({
        parentId: parent.id,
        of,
        after,
        limit: PAGE,
      });
      for (const child of page) count(recount, parent, child);
      if (page.length < PAGE) return;
      after = of === "children" ? page.at(-1)!.slot : page.at(-1)!.id;
    }
  }

  #around(
    record: SignatureRecord,
    parent: SignatureRecord | undefined,
    holder: SignatureRecord | undefined,
    previous: SignatureRecord | undefined,
    grandparent: SignatureRecord | undefined,
  ): Surroundings {
    const around = grandparent === undefined ? undefined : this.#specs.get(grandparent);
    return {
      now: this.#now,
      parent,
      holder,
      previous,
      spec: this.#specs.get(record),
      parentSpec: parent === undefined ? undefined : this.#specs.get(parent),
      itemCleanups: parent?.role === "item" ? (around?.itemCallbacks.cleanup ?? 0) : 0,
      worker: record.workerId === null ? undefined : this.#sessions.get(record.workerId),
      attended: this.#attended.has(record.name),
    };
  }

  #specsOf(record: SignatureRecord, parent: SignatureRecord | undefined): Parameters<typeof checkFamily>[2] {
    return {
      own: this.#specs.get(record),
      parent: parent === undefined ? undefined : this.#specs.get(parent),
    };
  }
}

/** True when `id` stands somewhere under `above`. */
function isInside(id: string, above: string): boolean {
  return id.length > above.length && id.startsWith(above) && id[above.length] === ".";
}

function previousId({ role, slot, parentId }: SignatureRecord): string | null {
  return role === "step" && slot > 0 && parentId !== null ? `${parentId}.${slot - 1}` : null;
}
