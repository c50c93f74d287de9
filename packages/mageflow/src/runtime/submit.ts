import { type CheckInput, frontDoor } from "../core/door.ts";
import { CancelledError, LeaseLostError } from "../core/errors.ts";
import { expand } from "../core/expand.ts";
import type { PlanNode } from "../core/plan.ts";
import { isCancelled, type SignatureRecord, type SpecRow } from "../core/record.ts";
import { SpecBook } from "../core/spec-book.ts";
import { owns } from "../core/task.ts";
import { isInCleanup } from "../core/view.ts";
import type { Clock, IdSource } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import { noteRequest, requestDigest, requireSameRequest } from "./request.ts";

export interface Submission {
  readonly plan: PlanNode;
  /** JSON text given to the root at run, or null. */
  readonly message: string | null;
  /** Start it in the transaction that stores it. */
  readonly start: boolean;
  /** A second submission with the same key finds the first. */
  readonly key: string | null;
  /** Tags of the root that others list it by. */
  readonly tags: readonly string[];
  /** The running task that submits; it must still hold its lease, and its workflow must not be cancelled. */
  readonly by: { readonly id: string; readonly epoch: number } | null;
}

export interface SubmitParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  readonly ids: IdSource;
  /** Refuses complete inputs; null when all are taken. */
  readonly check: CheckInput | null;
}

/** Records that one transaction stores of a tree; a larger tree is stored as a draft, chunk by chunk, and shown when it is whole. */
const CHUNK = 2_000;

/** Records that are made in one turn of the event loop. */
const STRETCH = 250;

/**
 * Stores a plan as one atomic tree, however large, and returns the id of its root: the existing one's when the key is known. What a task
 * submits once more in another attempt is what it submitted first, whatever it has become.
 *
 * @throws IdempotencyConflictError (`IDEMPOTENCY_CONFLICT`) when the key was used for something else, by who is no task.
 */
export async function submit(parts: SubmitParts, submission: Submission): Promise<string> {
  const { store, ids } = parts;
  const { key, by } = submission;
  const digest = key === null || by !== null ? null : requestDigest(submission);
  const known = key === null ? null : await store.byKey(key);
  const rootId = ids.next();
  const id = known?.id ?? (await storeTree(parts, submission, rootId, digest));
  if (digest !== null && id !== rootId) await requireSameRequest(store, { id, key: key! }, digest);
  return id;
}

/** Stores it under this id, unless another root got the key first. */
async function storeTree(
  { clock, committer, check }: SubmitParts,
  submission: Submission,
  rootId: string,
  digest: string | null,
): Promise<string> {
  const { plan, key, message, tags } = submission;
  const book = new SpecBook(rootId);
  const now = committer.storeTime();
  const place = {
    id: rootId,
    rootId,
    parentId: null,
    role: "root",
    slot: 0,
    key,
    priority: 0,
    message,
    tags,
    now,
  } as const;
  // What is started later may get a message then, which completes its inputs: they are checked when it is started.
  const door = submission.start && check !== null ? frontDoor(check) : null;
  const records = expand(plan, { ...place, door }, book);
  let drafted = false;
  let storing: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      const chunk: SignatureRecord[] = [];
      const root = await fill(chunk, records, clock);
      // While one chunk is being stored the next is made.
      await storing;
      if (root === null) {
        storing = storeChunk(committer, rootId, chunk, book.take(), !drafted);
        storing.catch(() => {});
        drafted = true;
        continue;
      }
      const parts = { root, rest: chunk, specs: book.take(), draft: drafted, digest };
      const id = await finish(committer, submission, parts);
      if (drafted && id !== rootId) discardSoon(committer, rootId);
      return id;
    }
  } catch (error) {
    await storing.catch(() => {});
    if (drafted) discardSoon(committer, rootId);
    throw error;
  }
}

/**
 * Takes the next records below the root into a chunk. Returns the root, which comes last and is in no chunk, or null when the chunk
 * is full: a draft without its root has no key by which others would find it. What is being stored meanwhile goes on.
 */
async function fill(
  chunk: SignatureRecord[],
  records: Iterator<SignatureRecord, void>,
  clock: Clock,
): Promise<SignatureRecord | null> {
  while (chunk.length < CHUNK) {
    const record = records.next().value!;
    if (record.parentId === null) return record;
    chunk.push(record);
    if (chunk.length % STRETCH === 0) await clock.turn();
  }
  return null;
}

function storeChunk(
  committer: Committer,
  rootId: string,
  chunk: SignatureRecord[],
  specs: SpecRow[],
  begin: boolean,
): Promise<void> {
  return committer.run({
    locks: [],
    apply: (batch) => {
      for (const row of specs) batch.addSpec(row);
      batch.insertBulk(chunk);
      batch.draft(begin ? { begin: rootId } : { add: rootId });
    },
  });
}

/** What the last transaction of a tree stores. */
interface Whole {
  readonly root: SignatureRecord;
  readonly rest: readonly SignatureRecord[];
  readonly specs: readonly SpecRow[];
  /** The other records are stored already. */
  readonly draft: boolean;
  readonly digest: string | null;
}

/** The transaction that makes the tree visible, and starts it; it returns the root that has the key, which may be another one. */
function finish(
  committer: Committer,
  { key, by, start }: Submission,
  { root, rest, specs, draft, digest }: Whole,
): Promise<string> {
  return committer.run({
    locks: by === null ? [] : [by.id],
    apply: async (batch) => {
      if (by !== null) requireGoingOn(batch, by);
      if (key !== null) {
        const known = await batch.rootWithKey(key);
        if (known !== null) return known.id;
      }
      for (const row of specs) batch.addSpec(row);
      for (const record of rest) batch.insert(record);
      batch.insert(root);
      if (draft) batch.draft({ finish: root.id });
      if (digest !== null) noteRequest(batch, root.id, digest);
      if (start) batch.send({ to: root.id, signal: { type: "start" } });
      return root.id;
    },
  });
}

/** Removes what was stored of a tree that will not be finished. Should this fail too, the reconciler does it later. */
function discardSoon(committer: Committer, rootId: string): void {
  void discard(committer, rootId).catch(() => {});
}

async function discard(committer: Committer, rootId: string): Promise<void> {
  let gone = false;
  while (!gone) gone = await committer.run({ locks: [], apply: (batch) => batch.tx.discard(rootId, CHUNK) });
}

/** Once a cancellation is acknowledged nothing begins on behalf of what it was for, its cleanups excepted. */
function requireGoingOn(batch: Batch, by: { id: string; epoch: number }): void {
  const record = batch.get(by.id);
  if (record === undefined || !owns(record, by.epoch)) throw new LeaseLostError(by.id, by.epoch);
  const root = batch.get(record.rootId)!;
  if (isCancelled(root) && !isInCleanup(batch, record)) throw new CancelledError(root.id, root.stop!.reason);
}
