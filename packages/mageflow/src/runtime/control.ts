import { GoneError, NotFoundError } from "../core/errors.ts";
import { type Reach, requireUnlocked } from "../core/lock.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Store, Tombstone } from "../ports/store.ts";
import { type Deed, record as audit } from "./audit.ts";
import type { Batch } from "./batch.ts";
import type { Runtime } from "./runtime.ts";

/** What a person or a program wants changed of one signature. */
export interface Control<T> {
  readonly id: string;
  /** Of the lock that the caller holds, or null. */
  readonly token: string | null;
  /** What it changes, so that a lock on that is in its way. Default `tree`. */
  readonly reach?: Reach;
  /** Others that it changes too, to be locked along with it. */
  readonly also?: readonly string[];
  /** What is written to the audit trail along with the change; left out for what needs no trace. */
  readonly deed?: Omit<Deed, "target" | "actor">;
  readonly apply: (batch: Batch, record: SignatureRecord) => T | Promise<T>;
}

/**
 * Makes a change of one signature in a transaction, unless somebody else has locked it, what it stands in or something in it,
 * or it is being removed.
 *
 * @throws NotFoundError (`NOT_FOUND`), GoneError (`GONE`), LockedError (`LOCKED`), and what `apply` throws.
 */
export async function control<T>(
  runtime: Runtime,
  { id, token, reach, also = [], deed, apply }: Control<T>,
): Promise<T> {
  const { store, actor } = runtime;
  try {
    return await runtime.commit({
      locks: [id, ...also],
      apply: async (batch) => {
        const record = batch.get(id);
        if (record === undefined || batch.isRemoved(record)) throw new NotFoundError(id);
        requireUnlocked(batch, record, token, reach);
        const answer = await apply(batch, record);
        const now = batch.get(id)!;
        if (deed !== undefined && now !== record)
          await audit(batch, {
            actor,
            target: id,
            ...deed,
            details: { ...deed.details, ...whatCame(record, now) },
          });
        return answer;
      },
    });
  } catch (error) {
    throw error instanceof NotFoundError ? await missing(store, id) : error;
  }
}

/** What the audit trail tells of a deed that only the store knew: when the workflow will be removed, which generation begins. */
function whatCame(before: SignatureRecord, { deletion, generation }: SignatureRecord): object {
  const isMarked = deletion !== null && !deletion.purged && deletion.purgeAt !== before.deletion?.purgeAt;
  return {
    ...(isMarked ? { purgeAt: deletion.purgeAt } : {}),
    ...(generation === before.generation ? {} : { generation }),
  };
}

/** Why there is no such signature. */
export async function missing(store: Store, id: string): Promise<NotFoundError | GoneError> {
  const tombstone = await tombstoneOf(store, id);
  return tombstone === null ? new NotFoundError(id) : new GoneError(id, tombstone);
}

/** What is left of the workflow that an id belongs to. */
export function tombstoneOf(store: Store, id: string): Promise<Tombstone | null> {
  return store.tombstone(id.split(".", 1)[0]!);
}
