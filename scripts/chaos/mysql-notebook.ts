import { createPool, type RowDataPacket } from "mysql2/promise";
import type { Notebook } from "./server-witness.ts";

const NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";

const WORD = "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
const TEXT = "VARCHAR(1500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

const TRANSACTION = "IF @chaos_tx IS NULL THEN SET @chaos_tx = UUID(); END IF;";

/**
 * Triggers fire with each row, long before the end of a transaction. What they note has the name of the transaction, which gets its place
 * in the order with the last thing that a store does before it commits: it counts the commit. Who has a place holds a lock until its commit
 * can be seen. What counts is made first, for what has been noted must be given a place.
 */
const BEGIN = [
  "CREATE TABLE IF NOT EXISTS chaos_order (one TINYINT PRIMARY KEY, last BIGINT NOT NULL)",
  "INSERT IGNORE INTO chaos_order (one, last) VALUES (1, 0)",
  `CREATE TABLE IF NOT EXISTS chaos_commits (seq BIGINT PRIMARY KEY, tx ${WORD} NOT NULL UNIQUE, at BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS chaos_noted (
    n BIGINT PRIMARY KEY AUTO_INCREMENT, tx ${WORD} NOT NULL, id ${TEXT}, root_id ${TEXT}, role ${WORD}, \`key\` ${TEXT}, kind ${WORD},
    status ${WORD}, generation INT, origin INT, epoch INT, stop ${WORD}, stop_until BIGINT, finished_at BIGINT, claimed TINYINT, born TINYINT
  )`,
  `CREATE TABLE IF NOT EXISTS chaos_gone (n BIGINT PRIMARY KEY AUTO_INCREMENT, id ${TEXT}, tx ${WORD} NOT NULL, action ${WORD})`,
  `CREATE TRIGGER IF NOT EXISTS chaos_committed AFTER UPDATE ON mageflow_commits FOR EACH ROW BEGIN
    IF @chaos_tx IS NOT NULL THEN
      UPDATE chaos_order SET last = last + 1 WHERE one = 1;
      INSERT INTO chaos_commits (seq, tx, at) SELECT last, @chaos_tx, ${NOW} FROM chaos_order WHERE one = 1;
      SET @chaos_tx = NULL;
    END IF;
  END`,
  `CREATE TRIGGER IF NOT EXISTS chaos_buried AFTER INSERT ON mageflow_tombstones FOR EACH ROW BEGIN
    ${TRANSACTION}
    INSERT INTO chaos_gone (id, tx, action) VALUES (NEW.id, @chaos_tx, NEW.action);
  END`,
  `CREATE TRIGGER IF NOT EXISTS chaos_changed AFTER UPDATE ON mageflow_signatures FOR EACH ROW BEGIN
    IF OLD.status <> NEW.status OR OLD.generation <> NEW.generation OR OLD.epoch <> NEW.epoch OR NOT (OLD.stop <=> NEW.stop) THEN
      ${TRANSACTION}
      INSERT INTO chaos_noted (tx, id, root_id, role, \`key\`, kind, status, generation, origin, epoch, stop, stop_until, finished_at,
          claimed, born)
        VALUES (@chaos_tx, NEW.id, NEW.root_id, NEW.role, NEW.\`key\`, NEW.kind, NEW.status, NEW.generation, NEW.origin, NEW.epoch,
          JSON_VALUE(NEW.stop, '$.verb'), JSON_VALUE(NEW.stop, '$.until'), NEW.finished_at,
          NEW.epoch > OLD.epoch AND NEW.status = 'RUNNING' AND NEW.worker_id IS NOT NULL, 0);
    END IF;
  END`,
  `CREATE TRIGGER IF NOT EXISTS chaos_born AFTER INSERT ON mageflow_signatures FOR EACH ROW BEGIN
    ${TRANSACTION}
    INSERT INTO chaos_noted (tx, id, root_id, role, \`key\`, kind, status, generation, origin, epoch, claimed, born)
      VALUES (@chaos_tx, NEW.id, NEW.root_id, NEW.role, NEW.\`key\`, NEW.kind, NEW.status, NEW.generation, NEW.origin, NEW.epoch,
        NEW.worker_id IS NOT NULL, 1);
  END`,
];

const HISTORY = `SELECT seq, at, id, root_id AS rootId, role, \`key\`, kind, status, generation, origin, epoch, stop, stop_until AS stopUntil,
    finished_at AS finishedAt, claimed, born
  FROM chaos_noted JOIN chaos_commits USING (tx) ORDER BY seq, n`;

/** Burials of one id: the first is that of what was there. */
const GONE = `SELECT id, seq, action FROM chaos_gone JOIN chaos_commits USING (tx) ORDER BY seq DESC, n DESC`;

const text = (column: string): string => `CONVERT(${column} USING utf8mb4)`;

const REST = `SELECT ${text("status")} AS status, milestone, stop IS NOT NULL AS stopped, deletion IS NOT NULL AS marked
  FROM mageflow_signatures WHERE id = ?`;

/** Ids are kept as bytes. */
const COLUMNS = `SELECT table_name AS \`table\`, column_name AS \`column\` FROM information_schema.columns
  WHERE table_schema = DATABASE() AND data_type = 'varbinary' AND table_name LIKE 'mageflow\\_%'`;

/** What notes in a database of MySQL or MariaDB. */
export function mysqlNotebook(store: string): Notebook {
  const pool = createPool({ uri: store, connectionLimit: 4 });
  return {
    begin: BEGIN,
    last: "SELECT last AS seq FROM chaos_order",
    history: HISTORY,
    gone: GONE,
    rest: REST,
    columns: COLUMNS,
    mentions: ({ table, column }) =>
      `SELECT ${text(`\`${column}\``)} AS id FROM ${table} WHERE \`${column}\` = ? OR (\`${column}\` > ? AND \`${column}\` < ?) LIMIT 3`,
    plainName: (table) => table.slice("mageflow_".length),
    ask: async (sql, values = []) => (await pool.query<RowDataPacket[]>(sql, [...values]))[0],
    close: () => pool.end(),
  };
}
