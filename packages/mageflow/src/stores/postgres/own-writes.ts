import { MILESTONE, type SignatureRecord } from "../../core/record.ts";

/** Some tasks more than a busy worker has under way, and the containers around them. */
const LARGEST = 8_192;

/** Characters of payload up to which a record is kept, so that all of them together stay under some 30 MB. */
const LARGEST_PAYLOAD = 2_048;

/** A record, and by which transaction it was written. */
interface Versioned {
  readonly record: SignatureRecord;
  readonly version: string;
}

/**
 * Records as transactions of this process left them, so that a task that was just claimed need not be read again when it ends. The
 * version is the number of the transaction, which the server keeps with the row (`xmin`): as long as a row that is locked has it, nobody
 * has written it since.
 */
export class OwnWrites {
  readonly #written = new Map<string, Versioned>();

  get(id: string): Versioned | undefined {
    return this.#written.get(id);
  }

  /** What a transaction wrote that has committed. What is settled is hardly asked for again; of the rest, the oldest goes first. */
  add(records: Iterable<SignatureRecord>, transaction: string): void {
    const version = versionOf(transaction);
    for (const record of records) {
      this.#written.delete(record.id);
      if (record.milestone === MILESTONE.SETTLED || payloadOf(record) > LARGEST_PAYLOAD) continue;
      this.#written.set(record.id, { record, version });
    }
    for (const id of this.#written.keys()) {
      if (this.#written.size <= LARGEST) break;
      this.#written.delete(id);
    }
  }

  delete(id: string): void {
    this.#written.delete(id);
  }
}

/** Rows have the lower half of a transaction's number. */
function versionOf(transaction: string): string {
  return String(BigInt.asUintN(32, BigInt(transaction)));
}

function payloadOf({ bound, message, result, error }: SignatureRecord): number {
  return (
    (bound?.length ?? 0) +
    (message?.length ?? 0) +
    (result?.length ?? 0) +
    (error === null ? 0 : LARGEST_PAYLOAD)
  );
}
