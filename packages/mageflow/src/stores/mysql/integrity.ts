import { STATUSES } from "../../core/status.ts";
import type { Damage } from "../../ports/store.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import type { Value } from "./literals.ts";
import { SHOWN } from "./visible.ts";

/** Rows that are read at once. */
const PAGE = 200;

const KNOWN: ReadonlySet<string> = new Set(STATUSES);

/** A table whose rows hold JSON: the columns of its primary key, and what is said of each text that is none. */
interface Shelf {
  readonly table: string;
  readonly key: readonly string[];
  /** The column that names the signature which a row is about. */
  readonly about: string;
  /** Of a text by its column; `$` stands for the last column of the key, or the one that is named. */
  readonly says: Readonly<Record<string, string>>;
  readonly named?: string;
}

const SHELVES: readonly Shelf[] = [
  { table: "specs", key: ["root_id", "id"], about: "root_id", says: { body: 'its spec "$" is not JSON' } },
  {
    table: "journal",
    key: ["root_id", "seq"],
    about: "root_id",
    says: { body: "entry $ of its journal is not JSON" },
  },
  {
    table: "workers",
    key: ["id"],
    about: "id",
    says: {
      tasks: "of its worker session the tasks are not JSON",
      auto_resume: "of its worker session the rules are not JSON",
    },
  },
  {
    table: "steps",
    key: ["seq"],
    about: "id",
    named: "name",
    says: { result: 'the result of its step "$" is not JSON' },
  },
  {
    table: "checkpoints",
    key: ["id", "generation"],
    about: "id",
    says: { body: "its checkpoint is not JSON" },
  },
  { table: "progress", key: ["id", "generation"], about: "id", says: { body: "its progress is not JSON" } },
  {
    table: "logs",
    key: ["seq"],
    about: "id",
    says: { fields: "the fields of its log line $ are not JSON" },
  },
];

const IN_RECORDS = ["error", "family", "stop", "deletion", "lock", "tags"];

const RECORDS = `SELECT ${text("id")}, ${text("status")}, ${IN_RECORDS.map((column) => `\`${column}\``).join(", ")}
  FROM mageflow_signatures WHERE id > $1 ORDER BY id LIMIT ${PAGE}`;

/** What contradicts what stands beside it, in tables that no record tells of. */
const CONTRADICTIONS: readonly string[] = [
  // The root of a draft comes with its end.
  `SELECT ${text("d.root_id")}, 'it is stored, but hidden as one that is still being stored'
    FROM mageflow_drafts AS d JOIN mageflow_signatures AS s ON s.id = d.root_id WHERE d.begun_at >= 0 LIMIT $1`,
  `SELECT ${text("s.id")}, 'it is stored, but has a tombstone'
    FROM mageflow_tombstones AS t JOIN mageflow_signatures AS s ON s.id = t.id WHERE ${SHOWN} LIMIT $1`,
  `SELECT ${text("root_id")}, CONCAT('lists of what is inside it miss what was stored at ', created_at)
    FROM (SELECT DISTINCT root_id, created_at FROM mageflow_signatures
      WHERE id > CONCAT(root_id, '.') AND id < CONCAT(root_id, '/')) AS born
    WHERE NOT EXISTS (SELECT 1 FROM mageflow_births AS b WHERE b.root_id = born.root_id AND b.created_at = born.created_at)
    LIMIT $1`,
  `SELECT ${text("root_id")}, CONCAT('its journal jumps to entry ', seq, ', but ', due, ' comes next')
    FROM (SELECT root_id, seq, COALESCE(LAG(seq + count) OVER (PARTITION BY root_id ORDER BY seq), 1) AS due
      FROM mageflow_journal) AS numbered
    WHERE seq <> due LIMIT $1`,
  `SELECT ${text("root_id")}, CONCAT('its journal ends before entry ', last, ', which was the last') FROM mageflow_journal_heads AS h
    WHERE last > COALESCE((SELECT MAX(seq + count - 1) FROM mageflow_journal AS j WHERE j.root_id = h.root_id), 0) LIMIT $1`,
];

/**
 * What is wrong with what the rows hold. Texts are parsed here, page by page: the servers' own functions for JSON refuse some that JSON
 * allows.
 */
export class Integrity {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async damage(limit: number): Promise<Damage[]> {
    const damage: Damage[] = [];
    for await (const found of this.#all()) {
      if (damage.length >= limit) break;
      damage.push(found);
    }
    return damage;
  }

  async *#all(): AsyncGenerator<Damage> {
    yield* this.#records();
    for (const shelf of SHELVES) yield* this.#shelf(shelf);
    for (const sql of CONTRADICTIONS)
      for (const [id, message] of await this.#db.all<[string, string]>(sql, PAGE)) yield { id, message };
  }

  async *#records(): AsyncGenerator<Damage> {
    for (let after = ""; ;) {
      const found = await this.#db.all<[id: string, status: string, ...texts: (string | null)[]]>(
        RECORDS,
        after,
      );
      for (const [id, status, ...texts] of found) {
        const broken = IN_RECORDS.find((_, n) => !isJson(texts[n]!));
        if (!KNOWN.has(status)) yield { id, message: `its status "${status}" is none` };
        else if (broken !== undefined) yield { id, message: `its column ${broken} is not JSON` };
      }
      if (found.length < PAGE) return;
      after = found.at(-1)![0];
    }
  }

  async *#shelf({ table, key, about, says, named = key.at(-1)! }: Shelf): AsyncGenerator<Damage> {
    const columns = Object.keys(says);
    const chosen = [...key, about, named].map((column) => `CONVERT(${column} USING utf8mb4)`).join(", ");
    const order = key.join(", ");
    for (let after: readonly Value[] | null = null; ;) {
      const beyond = after === null ? "TRUE" : `(${order}) > (${key.map((_, n) => `$${n + 1}`).join(", ")})`;
      const sql = `SELECT ${chosen}, ${columns.join(", ")} FROM mageflow_${table}
        WHERE ${beyond} ORDER BY ${order} LIMIT ${PAGE}`;
      const found: (string | null)[][] = await this.#db.all<(string | null)[]>(sql, ...(after ?? []));
      for (const row of found) {
        const [id, name] = row.slice(key.length);
        for (const [n, column] of columns.entries())
          if (!isJson(row[key.length + 2 + n]!))
            yield { id: id!, message: says[column]!.replace("$", () => name!) };
      }
      if (found.length < PAGE) return;
      after = found.at(-1)!.slice(0, key.length);
    }
  }
}

/** True also for what is not there. */
function isJson(text: string | null): boolean {
  if (text === null) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
