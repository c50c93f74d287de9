import type { Damage } from "../../ports/store.ts";
import { fateOf } from "../fate.ts";
import { KnownTasks } from "../known-tasks.ts";
import { Line } from "../line.ts";
import { Integrity } from "../server-integrity.ts";
import type { Lost, Server, ServerTables } from "../server.ts";
import { Bell, COUNT } from "./bell.ts";
import { Connection } from "./connection.ts";
import { explain, explainInside, isAnswer, isLoss, isPassing, leavesOpen } from "./failures.ts";
import { Gates } from "./gates.ts";
import { inventory } from "./inventory.ts";
import type { Location } from "./location.ts";
import { migrate } from "./migrate.ts";
import { MysqlTransaction } from "./mysql-transaction.ts";
import { StampTable } from "./stamp-table.ts";
import { NOW } from "./store-time.ts";
import { Tables } from "./tables.ts";

/**
 * A session that is silent for so long in the middle of a transaction is ended by the server, and what it has locked let go (s), before
 * those who wait for it give up, also when the next one in line has gone as well, which the server does not know as long as its connection
 * is half-open. Between two it may be silent for as long as is usual.
 */
const HURRY = "SET SESSION wait_timeout = 2";
const REST = "SET SESSION wait_timeout = 28800";

const BEGIN = "START TRANSACTION READ WRITE";

const BEGUN = `SELECT ${NOW}`;

/** The session by its number and its other end, as long as the server has not done with it. */
const SESSION = "SELECT 1 FROM information_schema.processlist WHERE id = $1 AND ($2 IS NULL OR host = $2)";

/** MySQL or MariaDB, and one database of it. */
export class MysqlServer implements Server<Connection, MysqlTransaction> {
  readonly name: string;
  readonly #location: Location;
  readonly #tasks = new KnownTasks();
  #now = 0;

  constructor(location: Location) {
    this.#location = location;
    this.name = location.name;
  }

  connect(): Promise<Connection> {
    return Connection.open(this.#location);
  }

  tables(db: Connection): ServerTables {
    return new Tables(db);
  }

  async migrate(db: Connection, create: boolean): Promise<void> {
    await migrate(db, this.#location, create);
    // Who came to what others have made may be here to look only.
    if (create) await new StampTable(db).dropOld();
  }

  /** Its own connection comes again by itself. */
  bell(): Bell {
    return new Bell(new Line(() => this.connect()));
  }

  async begin(db: Connection, sessions: Set<string>): Promise<MysqlTransaction> {
    try {
      db.hold();
      const tables = new Tables(db);
      const known = [...sessions];
      const [, , alive, begun] = await Promise.all([
        db.run(HURRY),
        db.run(BEGIN),
        tables.workers.alive(known),
        db.get<[number]>(BEGUN),
      ]);
      for (const id of known) if (!alive.has(id)) sessions.delete(id);
      // It never goes back in this process when the server's clock does.
      this.#now = Math.max(this.#now, begun![0]);
      return new MysqlTransaction(db, {
        tables,
        gates: new Gates(db),
        tasks: this.#tasks,
        now: this.#now,
        faults: { explain: (error) => explainInside(error, this.#location), isAnswer },
        alive,
      });
    } catch (error) {
      await this.rollback(db);
      throw explainInside(error, this.#location);
    }
  }

  /** Sent right behind the writes. When one of them has failed, nothing behind it is done, and all is taken back. */
  async commit(db: Connection, tx: MysqlTransaction): Promise<Error | null> {
    const commit = Promise.all([db.run(COUNT), db.run("COMMIT"), db.run(REST)]).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const failure = (await tx.failure()) ?? (await commit);
    if (failure === null) {
      db.release();
      return null;
    }
    await commit;
    const { error } = failure;
    if (!leavesOpen(error)) {
      await this.rollback(db);
      throw explain(error, this.#location);
    }
    db.destroy();
    return error as Error;
  }

  async rollback(db: Connection): Promise<void> {
    if (db.lost) return;
    db.release();
    await Promise.all([db.run("ROLLBACK"), db.run(REST)]).catch(() => db.destroy());
  }

  async fate(reader: Connection, { db, tx }: Lost<Connection, MysqlTransaction>): Promise<number | "open"> {
    const { id, host } = db.session;
    const isUnderWay = async (): Promise<boolean> => (await reader.get(SESSION, id, host)) !== undefined;
    return fateOf(tx.stamp!, new StampTable(reader), isUnderWay);
  }

  damage(db: Connection, limit: number): Promise<Damage[]> {
    return new Integrity(inventory(db), limit).damage();
  }

  explain(error: unknown): unknown {
    return explain(error, this.#location);
  }

  isLoss(error: unknown): boolean {
    return isLoss(error);
  }

  isPassing(error: unknown): boolean {
    return isPassing(error);
  }
}
