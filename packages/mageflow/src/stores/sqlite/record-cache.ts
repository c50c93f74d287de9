import { MILESTONE, type SignatureRecord } from "../../core/record.ts";

/** A signature that was read or written, and the place of its row. */
export interface Stored {
  readonly seq: number;
  readonly record: SignatureRecord;
}

/** Some tasks more than a busy worker has under way, and the containers around them. */
const LARGEST = 8_192;

/** Characters of payload up to which a record is kept, so that all of them together stay under some 30 MB. */
const LARGEST_PAYLOAD = 2_048;

/**
 * Signatures as they are in the database, so that a transaction need not read again what the one before it has written:
 * a task between its claim and its end, the container around it. It is good for as long as no other connection has
 * committed, which SQLite tells by `PRAGMA data_version`, as it does for its own pages.
 */
export class RecordCache {
  readonly #stored = new Map<string, Stored>();
  #version = 0;

  /** The version of the data that the transaction sees which now begins. */
  begin(version: number): void {
    if (version !== this.#version) this.clear();
    this.#version = version;
  }

  get(id: string): Stored | undefined {
    return this.#stored.get(id);
  }

  /**
   * What a committed transaction has read and written, as it left it. What is settled is hardly asked for again; of the rest, what was
   * touched longest ago goes first.
   */
  commit(touched: ReadonlyMap<string, Stored>): void {
    for (const [id, stored] of touched) {
      this.#stored.delete(id);
      if (stored.record.milestone === MILESTONE.SETTLED || payloadOf(stored.record) > LARGEST_PAYLOAD)
        continue;
      this.#stored.set(id, stored);
    }
    for (const id of this.#stored.keys()) {
      if (this.#stored.size <= LARGEST) break;
      this.#stored.delete(id);
    }
  }

  clear(): void {
    this.#stored.clear();
  }
}

function payloadOf({ bound, message, result, error }: SignatureRecord): number {
  return (
    (bound?.length ?? 0) +
    (message?.length ?? 0) +
    (result?.length ?? 0) +
    (error === null ? 0 : LARGEST_PAYLOAD)
  );
}
