import { performance } from "node:perf_hooks";
import type { Damage } from "../../ports/store.ts";
import { fateOf } from "../fate.ts";
import { KnownTasks } from "../known-tasks.ts";
import { Line } from "../line.ts";
import { Integrity } from "../server-integrity.ts";
import type { Lost, Server, ServerTables } from "../server.ts";
import { textArray } from "./arrays.ts";
import { Bell } from "./bell.ts";
import { Connection } from "./connection.ts";
import { explain, explainInside, isAnswer, isLoss, isPassing } from "./failures.ts";
import { Gates } from "./gates.ts";
import { inventory } from "./inventory.ts";
import type { Location } from "./location.ts";
import { migrate } from "./migrate.ts";
import { OwnWrites } from "./own-writes.ts";
import { type Begun, PostgresTransaction } from "./postgres-transaction.ts";
import { StampTable } from "./stamp-table.ts";
import { ServerTime } from "./server-time.ts";
import { NOW } from "./store-time.ts";
import { Tables } from "./tables.ts";
import { Turns } from "./turns.ts";
import { ALIVE } from "./worker-table.ts";

const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/**
 * The server's time, the number by which it knows later whether the transaction is under way, and which of these sessions are alive, one
 * after the other: a word each.
 */
const BEGUN = `SELECT ${NOW}, pg_current_xact_id(), array_to_string(ARRAY(${ALIVE}), ' ')`;

/** The same of no session: it locks nothing, so that who may only read can look. */
const BEGUN_ALONE = `SELECT ${NOW}, pg_current_xact_id(), ''`;

const COUNT = "SELECT nextval('commits')";

/** Of a transaction of this number, which after a crash of the server may be another one, or one that has not been yet. */
const STATUS = `SELECT CASE WHEN $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1::xid8) END`;

/** PostgreSQL, and one schema of a database of it. */
export class PostgresServer implements Server<Connection, PostgresTransaction> {
  readonly name: string;
  readonly #location: Location;
  readonly #tasks = new KnownTasks();
  readonly #time = new ServerTime(() => performance.now());
  readonly #ownWrites = new OwnWrites();
  readonly #turns = new Turns(() => performance.now());

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
  bell(hand: Line<Connection>): Bell {
    return new Bell(this.#location.schema, new Line(() => this.connect()), hand);
  }

  /** What the transaction does first is sent right behind its beginning, unless the server's time has to be asked for. */
  async begin(db: Connection, sessions: Set<string>): Promise<PostgresTransaction> {
    const begun = this.#begun(db, sessions);
    // Whoever asks for it hears of its failure, and some never do.
    begun.catch(() => {});
    let now = this.#time.now();
    if (now === null) {
      try {
        await begun;
      } catch (error) {
        await this.rollback(db);
        throw explainInside(error, this.#location);
      }
      now = this.#time.now()!;
    }
    return new PostgresTransaction(db, {
      tables: new Tables(db),
      gates: new Gates(db, this.#location),
      tasks: this.#tasks,
      now,
      faults: { explain: (error) => explainInside(error, this.#location), isAnswer },
      location: this.#location,
      ownWrites: this.#ownWrites,
      turns: this.#turns,
      begun,
    });
  }

  async #begun(db: Connection, sessions: Set<string>): Promise<Begun> {
    const known = [...sessions];
    const [, row] = await Promise.all([
      db.exec(BEGIN),
      known.length === 0
        ? db.get<[now: number, number: string, alive: string]>(BEGUN_ALONE)
        : db.get<[now: number, number: string, alive: string]>(BEGUN, textArray(known)),
    ]);
    const [now, number, living] = row!;
    this.#time.hear(now);
    const alive = new Set(living.split(" "));
    for (const id of known) if (!alive.has(id)) sessions.delete(id);
    return { alive, number };
  }

  /** Sent right behind the writes. When one of them has failed, the server takes everything back instead. */
  async commit(db: Connection, tx: PostgresTransaction): Promise<Error | null> {
    const counted = tx.isCounted
      ? null
      : db.all(COUNT).then(
          () => null,
          (error: unknown) => ({ error }),
        );
    const commit = db.exec("COMMIT").catch((error: unknown) => ({ error }));
    const failed = await tx.failure();
    const [answer, uncounted] = await Promise.all([commit, counted]);
    const failure = failed ?? uncounted;
    if (answer === "COMMIT") {
      this.#ownWrites.add(tx.written, tx.number);
      this.#turns.add(tx.started, tx.reopenedBefore);
      return null;
    }
    const { error } = typeof answer === "string" ? failure! : answer;
    if (isLoss(error)) {
      db.destroy();
      return error;
    }
    throw explain(failure?.error ?? error, this.#location);
  }

  async rollback(db: Connection): Promise<void> {
    if (!db.lost) await db.exec("ROLLBACK").catch(() => db.destroy());
  }

  async fate(db: Connection, { tx }: Lost<Connection, PostgresTransaction>): Promise<number | "open"> {
    const isUnderWay = async (): Promise<boolean> =>
      (await db.get<[string | null]>(STATUS, tx.number))![0] === "in progress";
    return fateOf(tx.stamp!, new StampTable(db), isUnderWay);
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
