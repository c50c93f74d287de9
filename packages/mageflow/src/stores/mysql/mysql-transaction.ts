import type { Locked } from "../../ports/store.ts";
import { above, isTaskBelow } from "../above.ts";
import { type Purpose, ServerTransaction, type TransactionParts } from "../server-transaction.ts";
import type { Connection } from "./connection.ts";
import { type Gates, onlyOne } from "./gates.ts";
import type { Tables } from "./tables.ts";

interface Parts extends TransactionParts<Tables, Gates> {
  /** Sessions that were found alive when it began. */
  readonly alive: ReadonlySet<string>;
}

/** A transaction of MySQL or MariaDB. */
export class MysqlTransaction extends ServerTransaction<Tables, Gates> {
  readonly #db: Connection;
  readonly #alive: ReadonlySet<string>;

  constructor(db: Connection, { alive, ...parts }: Parts) {
    super(parts);
    this.#db = db;
    this.#alive = alive;
  }

  lock(ids: readonly string[], { wait }: { wait: boolean }): Promise<Locked> {
    return this.statements.ask(async () => {
      const { signatures } = this.tables;
      const wanted = [...new Set(ids)];
      if (wanted.length === 0) return { records: [], busy: [] };
      // One journey: each statement sees what those before it have waited for.
      const parents = above(wanted).filter((id) => !this.above.has(id) || (!wait && !this.locked.has(id)));
      const isTask = (id: string): boolean => this.tasks.has(id);
      const closed = await this.gates.toClose(wanted, isTask);
      const [, locked, read] = await Promise.all([
        this.gates.toLock(wanted, closed),
        wait ? signatures.lock(wanted) : signatures.lockFree(wanted),
        parents.length === 0 ? [] : signatures.read(parents),
      ]);
      const changed = this.changed(read);
      const records = this.remembered(locked.filter((record) => !isTaskBelow(record, changed)));
      if (wait || records.length === wanted.length) return { records, busy: [] };
      const found = new Set(records.map(({ id }) => id));
      const busy = await signatures.existing(wanted.filter((id) => !found.has(id)));
      return { records, busy };
    });
  }

  protected async knownAlive(): Promise<ReadonlySet<string>> {
    return this.#alive;
  }

  protected onlyOne(purpose: Purpose): Promise<void> {
    return onlyOne(this.#db, purpose);
  }
}
