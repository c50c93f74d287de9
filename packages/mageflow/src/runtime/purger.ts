import { isClosed, isPurgeable, rearmed } from "../core/deletion.ts";
import type { SignatureRecord } from "../core/record.ts";
import { stubOf } from "../core/stub.ts";
import type { Tombstone } from "../ports/store.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";

/** Workflows that one transaction takes out of sight. */
const TREES = 20;
/** Records that one transaction removes. */
const WINDOW = 2_000;

/**
 * Removes workflows whose time has come. One transaction decides, under the root's lock, that nothing of a tree is open, leaves a
 * tombstone and takes the whole tree out of every read, so that a rerun comes before it or finds it gone. What the tree consists of
 * is removed after that, so many records a transaction; a crash between two of them loses nothing.
 *
 * Returns whether any was due. `mayPurge` is asked with the store's time.
 */
export async function purge(committer: Committer, mayPurge: (now: number) => boolean): Promise<boolean> {
  let found = 0;
  for (let due = TREES; due === TREES; found += due) {
    due = await committer.run({
      locks: [],
      apply: (batch) => (mayPurge(batch.now) ? condemnDue(batch) : 0),
    });
  }
  return found > 0;
}

/** How many were due. */
async function condemnDue(batch: Batch): Promise<number> {
  const due = await batch.tx.purgeable(TREES);
  await batch.lock(
    due.map(({ id }) => id),
    { wait: true },
  );
  for (const { id } of due) {
    // This very transaction may have taken the mark away, or have removed it already.
    const root = batch.get(id)!;
    if (root.deletion !== null && !root.deletion.purged) await condemn(batch, root);
  }
  return due.length;
}

/** False when it is still open, and gets its time again. */
export async function condemn(batch: Batch, root: SignatureRecord): Promise<boolean> {
  if (!isPurgeable(root, batch.now) || (await isUnderWay(batch, root))) {
    batch.put(rearmed(root, batch.now));
    return false;
  }
  remove(batch, root);
  return true;
}

/** Takes a marked tree out of every read, be anything of it open or not. */
export function remove(batch: Batch, root: SignatureRecord): void {
  batch.put({ ...root, key: null, deletion: { ...root.deletion!, purged: true } });
  batch.extras.tombstones.push(tombstoneOf(root, batch.now));
  batch.draft({ condemn: root.id });
}

/** Whether anything of the tree is open. */
export async function isOpen(batch: Batch, root: SignatureRecord): Promise<boolean> {
  return !isClosed(root) || (await isUnderWay(batch, root));
}

/**
 * Whether code of it runs or a cleanup is to: of what follows the end of something in a tree that was interrupted, or that never
 * started as a whole.
 */
async function isUnderWay(batch: Batch, root: SignatureRecord): Promise<boolean> {
  return (await batch.tx.underWayIn(root.id, 1)).length > 0;
}

function tombstoneOf(root: SignatureRecord, at: number): Tombstone {
  const { id, name, kind, status } = root;
  const { action, by, reason, stub } = root.deletion!;
  return { id, name, kind, status, at, action, by, reason, stub: stub ? stubOf(root) : null };
}

/** Removes what is out of sight, and drafts that nobody has finished since `before`. */
export async function discardAll(committer: Committer, age: number): Promise<void> {
  for (;;) {
    const some = await committer.run({
      locks: [],
      apply: async (batch) => {
        const [rootId] = await batch.tx.abandoned(batch.now - age, 1);
        if (rootId !== undefined) await batch.tx.discard(rootId, WINDOW);
        return rootId !== undefined;
      },
    });
    if (!some) return;
  }
}
