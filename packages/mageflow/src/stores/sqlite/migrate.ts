import { StoreError } from "../../core/errors.ts";
import type { Connection } from "./connection.ts";
import { describeLocation, type Location } from "./location.ts";
import { MIGRATIONS } from "./migrations.ts";

/** "MaFl" in the file's header tells a database of MageFlow from one of another program. */
const APPLICATION_ID = 0x4d61466c;

/**
 * Brings the schema up to date in one transaction: a process that is killed in the middle has done nothing, and of two
 * that start at once the second finds the work done.
 *
 * @throws StoreError `STORE_NEWER`, or `STORE_UNAVAILABLE` for a database of another program.
 */
export function migrate(
  db: Connection,
  location: Location,
  migrations: readonly string[] = MIGRATIONS,
): void {
  try {
    db.exec("BEGIN");
    if (version(db, location, migrations) === migrations.length) return;
    db.exec("ROLLBACK; BEGIN IMMEDIATE");
    for (const sql of migrations.slice(version(db, location, migrations))) db.exec(sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
    db.exec("COMMIT");
  } finally {
    db.rollback();
  }
}

/** How many of the migrations this database has seen. It reads twice: outside a transaction it would see two states. */
function version(db: Connection, location: Location, { length: known }: readonly string[]): number {
  const where = describeLocation(location);
  const [owner] = db.get<[number]>("PRAGMA application_id")!;
  if (owner !== APPLICATION_ID) {
    const [tables] = db.get<[number]>("SELECT count(*) FROM sqlite_schema")!;
    if (tables === 0) return 0;
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${where} is a database of another program; give MageFlow a file of its own`,
    );
  }
  const [seen] = db.get<[number]>("PRAGMA user_version")!;
  if (seen <= known) return seen;
  throw new StoreError(
    "STORE_NEWER",
    `${where} has schema version ${seen}, and this MageFlow knows versions up to ${known}; update MageFlow, or open another file`,
  );
}
