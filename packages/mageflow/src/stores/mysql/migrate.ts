import { StoreError } from "../../core/errors.ts";
import { type Connection, LEAST_PACKET } from "./connection.ts";
import { missingStore } from "../missing-store.ts";
import type { Location } from "./location.ts";
import { MIGRATIONS } from "./migrations.ts";

const SERVER = "SELECT VERSION(), CAST(@@global.read_only AS CHAR) IN ('0', 'OFF')";

/** The oldest servers whose dialect is spoken here. */
const OLDEST_MYSQL = [8, 0, 0];
const OLDEST_MARIADB = [10, 6, 0];

/** One process at a time, whoever waits gives up after so long (s). */
const LOCK = "SELECT GET_LOCK($1, 60)";
const UNLOCK = "SELECT RELEASE_LOCK($1)";

const TABLES = `SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables
  WHERE table_schema = $1 AND table_name LIKE 'mageflow\\_%'`;

/** What is under way stands below what was done, so that it is known whose the tables are that are there already. */
const MAKE_BOOK = `CREATE TABLE IF NOT EXISTS mageflow_schema (version INT NOT NULL PRIMARY KEY)
  ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;

const SEEN = "SELECT MAX(version) FROM mageflow_schema";

const NOTE = "INSERT IGNORE INTO mageflow_schema (version) VALUES ($1)";

/**
 * Brings the schema up to date, statement by statement, for each of them is a commit: a process that is killed in the middle is
 * followed by one that makes them all again, and of two that start at once the second waits for the first and finds the work done.
 *
 * @throws StoreError `STORE_MISSING` when there is nothing and nothing is to be made, `STORE_NEWER`, `STORE_READ_ONLY`, `STORE_BUSY` when another process takes too long over it, or `STORE_UNAVAILABLE`
 *   for a server that is too old or takes too short messages, and for tables of another program; and what the driver throws.
 */
export async function migrate(db: Connection, location: Location, create: boolean): Promise<void> {
  await requireServer(db, location);
  const found = await version(db, location);
  if (found === MIGRATIONS.length) return;
  if (found === 0 && !create) throw missingStore(location.name);
  const lock = lockOf(location);
  const [got] = (await db.get<[number | null]>(LOCK, lock))!;
  if (got !== 1)
    throw new StoreError("STORE_BUSY", `another process is setting up ${location.name}; try again`);
  try {
    const seen = await version(db, location);
    await db.run(MAKE_BOOK);
    for (const [n, statements] of MIGRATIONS.entries()) {
      if (n < seen) continue;
      for (const sql of statements) await db.run(sql);
      await db.run(NOTE, n + 1);
    }
  } finally {
    if (!db.lost) await db.all(UNLOCK, lock);
  }
}

/** Such names are of the whole server, and have 64 characters at most. */
function lockOf({ database }: Location): string {
  return `mageflow schema ${database}`.slice(0, 64);
}

/** How many of the migrations this database has seen. */
async function version(db: Connection, { name, database }: Location): Promise<number> {
  const tables = (await db.all<[string]>(TABLES, database)).map(([table]) => table);
  if (!tables.includes("mageflow_schema")) {
    if (tables.length === 0) return 0;
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${name} has tables of another program (${tables[0]}); give MageFlow a database without tables that begin with mageflow_`,
    );
  }
  const seen = (await db.get<[number | null]>(SEEN))![0] ?? 0;
  if (seen <= MIGRATIONS.length) return seen;
  throw new StoreError(
    "STORE_NEWER",
    `${name} has schema version ${seen}, and this MageFlow knows versions up to ${MIGRATIONS.length}; update MageFlow, or take another database`,
  );
}

async function requireServer(db: Connection, { name }: Location): Promise<void> {
  const [told, isWritable] = (await db.get<[version: string, isWritable: number]>(SERVER))!;
  const isMariadb = told.includes("MariaDB");
  // A server may tell of one that it is said to be, before the one that it is.
  const [, ...number] = /(\d+)\.(\d+)\.(\d+)(?:-MariaDB|[^.\d]|$)/.exec(told) ?? [];
  if (isOlder(number.map(Number), isMariadb ? OLDEST_MARIADB : OLDEST_MYSQL))
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${name} is too old (${told}); MySQL 8.0, MariaDB 10.6 or newer is needed`,
    );
  if (db.packet < LEAST_PACKET)
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${name} takes no message of more than ${db.packet} bytes; set its max_allowed_packet to 16M or more`,
    );
  if (isWritable !== 1)
    throw new StoreError("STORE_READ_ONLY", `${name} cannot be written; connect to the primary server`);
}

function isOlder(number: readonly number[], least: readonly number[]): boolean {
  const n = least.findIndex((part, at) => part !== number[at]);
  return n >= 0 && (number[n] ?? 0) < least[n]!;
}
