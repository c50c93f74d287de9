import { StoreError } from "../../core/errors.ts";
import { advisoryLock } from "./advisory-locks.ts";
import type { Connection } from "./connection.ts";
import { missingStore } from "../missing-store.ts";
import type { Location } from "./location.ts";
import { MIGRATIONS } from "./migrations.ts";

/** The oldest server whose dialect is spoken here, as `server_version_num` counts. */
const OLDEST = 140_000;

const SERVER = `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
  current_setting('transaction_read_only') = 'on'`;

/** Whether there is a store in the schema, or anything else. */
const LOOK = `SELECT bool_or(tablename = 'mageflow_schema'), count(*)::int FROM pg_tables WHERE schemaname = $1`;

const SEEN = "SELECT version FROM mageflow_schema";

/**
 * Brings the schema up to date in one transaction: a process that is killed in the middle has done nothing, and of two
 * that start at once the second waits for the first and finds the work done.
 *
 * @throws StoreError `STORE_MISSING` when there is nothing and nothing is to be made, `STORE_NEWER`, `STORE_READ_ONLY`, or `STORE_UNAVAILABLE` for a server that is too old or keeps no Unicode, and for a
 *   schema of another program; and what the driver throws.
 */
export async function migrate(db: Connection, location: Location, create: boolean): Promise<void> {
  await requireServer(db, location);
  const found = await version(db, location);
  if (found === MIGRATIONS.length) return;
  if (found === 0 && !create) throw missingStore(location.name);
  await db.exec("BEGIN");
  try {
    await db.exec(advisoryLock(location, "schema"));
    await db.exec(`CREATE SCHEMA IF NOT EXISTS ${location.schema}`);
    const seen = await version(db, location);
    for (const sql of MIGRATIONS.slice(seen)) await db.exec(sql);
    if (seen === 0) await db.exec("CREATE TABLE mageflow_schema AS SELECT 0 AS version");
    await db.exec(`UPDATE mageflow_schema SET version = ${MIGRATIONS.length}`);
    await db.exec("COMMIT");
  } catch (error) {
    if (!db.lost) await db.exec("ROLLBACK");
    throw error;
  }
}

/** How many of the migrations this schema has seen. */
async function version(db: Connection, { name, schema }: Location): Promise<number> {
  const [look] = await db.once<[boolean | null, number]>(LOOK, [schema]);
  const [isStore, tables] = look!;
  if (isStore !== true) {
    if (tables === 0) return 0;
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${name} has tables of another program; give MageFlow a schema of its own, as in ?schema=flows`,
    );
  }
  const [row] = await db.once<[number]>(SEEN, []);
  const [seen] = row!;
  if (seen <= MIGRATIONS.length) return seen;
  throw new StoreError(
    "STORE_NEWER",
    `${name} has schema version ${seen}, and this MageFlow knows versions up to ${MIGRATIONS.length}; update MageFlow, or take another schema than ${schema}`,
  );
}

async function requireServer(db: Connection, { name }: Location): Promise<void> {
  const [[number, encoding, readOnly]] = (await db.once<[number, string, boolean]>(SERVER, [])) as [
    [number, string, boolean],
  ];
  if (number < OLDEST)
    throw new StoreError("STORE_UNAVAILABLE", `${name} is too old; PostgreSQL 14 or newer is needed`);
  if (encoding !== "UTF8")
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${name} keeps ${encoding}; give a database whose encoding is UTF8`,
    );
  if (readOnly)
    throw new StoreError("STORE_READ_ONLY", `${name} cannot be written; connect to the primary server`);
}
