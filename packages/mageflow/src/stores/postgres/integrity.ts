import type { SignatureRecord } from "../../core/record.ts";
import type { Damage } from "../../ports/store.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import { journalEntries } from "../journal-rows.ts";
import { jsonOf } from "../json-text.ts";
import { type StoredWorker, toWorker, WORKER_COLUMNS } from "../worker-row.ts";
import { arrayOf, textArray } from "./arrays.ts";
import { COLUMNS, DERIVED, type Value } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "../server-row.ts";
import { toSafe } from "../safe-text.ts";
import { SHOWN } from "./visible.ts";

/** Rows that are looked at together: few enough that nobody waits long for this process. */
const PAGE = 500;

/** Whether lists of what is inside a workflow find a record, and it itself, with what it says again beside its JSON texts. */
const RECORDS = `SELECT parent_id IS NULL OR EXISTS (SELECT FROM births
      WHERE births.root_id = signatures.root_id AND births.created_at = signatures.created_at),
    ${SHOWN}, ${COLUMNS}, ${DERIVED.map(({ name }) => name).join(", ")}
  FROM signatures WHERE id > $1 ORDER BY id LIMIT $2`;
type RecordRow = readonly [isListed: boolean, isShown: boolean, ...row: Row, ...derived: Value[]];

/** Of these tags of roots those that no list would find them by. */
const UNLISTED = `SELECT DISTINCT given.root_id
  FROM unnest($1::text[], $2::int8[], $3::text[]) AS given (tag, created_at, root_id)
  WHERE NOT EXISTS (SELECT FROM root_tags WHERE root_tags.tag = given.tag
    AND root_tags.created_at = given.created_at AND root_tags.root_id = given.root_id)`;

const COLUMNS_OF_SIGNATURES = COLUMNS.replace(/\w+/g, "signatures.$&");

/** The root of a draft comes with its end. */
const DRAFTS = `SELECT drafts.root_id, begun_at >= 0, ${COLUMNS_OF_SIGNATURES} FROM drafts JOIN signatures ON signatures.id = drafts.root_id
  WHERE drafts.root_id > $1 ORDER BY drafts.root_id LIMIT $2`;
type DraftRow = readonly [rootId: string, isBegun: boolean, ...row: Row];

const TOMBSTONES = `SELECT tombstones.id FROM tombstones JOIN signatures ON signatures.id = tombstones.id
  WHERE tombstones.id > $1 AND ${SHOWN} ORDER BY tombstones.id LIMIT $2`;

const WORKERS = `SELECT ${WORKER_COLUMNS} FROM workers WHERE id > $1 ORDER BY id LIMIT $2`;

const JOURNAL = `SELECT root_id, seq, count, body FROM journal
  WHERE (root_id, seq) > ($1, $2) ORDER BY root_id, seq LIMIT $3`;
type JournalRow = readonly [rootId: string, seq: number, count: number, body: string];

const SPECS =
  "SELECT root_id, id, body FROM specs WHERE (root_id, id) > ($1, $2) ORDER BY root_id, id LIMIT $3";

const STEPS = `SELECT id, generation, name, result FROM steps
  WHERE (id, generation, name) > ($1, $2, $3) ORDER BY id, generation, name LIMIT $4`;

const noted = (table: string): string => `SELECT id, generation, body FROM ${table}
  WHERE (id, generation) > ($1, $2) ORDER BY id, generation LIMIT $3`;
const CHECKPOINTS = noted("checkpoints");
const PROGRESS = noted("progress");

const LINES = "SELECT seq, id, fields FROM logs WHERE seq > $1 AND fields IS NOT NULL ORDER BY seq LIMIT $2";

/**
 * What is wrong with what the rows hold. They come page by page and are looked at here, as by whoever uses them: the server takes other
 * texts for JSON. Its own pages it checks when it reads them, if it was set up so.
 */
export class Integrity {
  readonly #db: Connection;
  readonly #limit: number;
  readonly #found: Damage[] = [];

  constructor(db: Connection, limit: number) {
    this.#db = db;
    this.#limit = limit;
  }

  /** Reads everything. */
  async damage(): Promise<Damage[]> {
    await this.#records();
    await this.#each<[string, string, string]>(SPECS, ["", ""], 2, ([rootId, id, body]) => {
      jsonOf(rootId, `its spec "${id}" is`, body);
    });
    await this.#journal();
    await this.#each<StoredWorker>(WORKERS, [""], 1, (row) => void toWorker(row));
    await this.#each<DraftRow>(DRAFTS, [""], 1, ([id, isBegun, ...row]) => {
      if (isBegun || toRecord(row).deletion?.purged !== true)
        this.#tell(id, "it is stored, but hidden as one that is still being stored, or removed");
    });
    await this.#each<[string]>(TOMBSTONES, [""], 1, ([id]) =>
      this.#tell(id, "it is stored, but has a tombstone"),
    );
    await this.#each<[string, number, string, string]>(STEPS, ["", 0, ""], 3, ([id, , name, result]) => {
      jsonOf(id, `the result of its step "${name}" is`, result);
    });
    await this.#each<[string, number, string]>(CHECKPOINTS, ["", 0], 2, ([id, , body]) => {
      jsonOf(id, "its checkpoint is", body);
    });
    await this.#each<[string, number, string]>(PROGRESS, ["", 0], 2, ([id, , body]) => {
      jsonOf(id, "its progress is", body);
    });
    await this.#each<[number, string, string]>(LINES, [0], 1, ([seq, id, fields]) => {
      jsonOf(id, `the fields of its log line ${seq} are`, fields);
    });
    return this.#found.slice(0, this.#limit);
  }

  async #records(): Promise<void> {
    for (let after = ""; this.#found.length < this.#limit;) {
      const rows = await this.#db.all<RecordRow>(RECORDS, after, PAGE);
      if (rows.length === 0) return;
      const tagged: SignatureRecord[] = [];
      for (const [isListed, isShown, ...row] of rows) {
        after = row[0];
        this.#look(() => {
          const record = toRecord(row as unknown as Row);
          const derived = row.slice(-DERIVED.length);
          for (const [n, { name, field, of }] of DERIVED.entries())
            if (of(record) !== derived[n])
              this.#tell(record.id, `its column ${name} says other than ${field}`);
          if (isShown && record.parentId === null && record.tags.length > 0) tagged.push(record);
          if (!isListed)
            this.#tell(
              record.rootId,
              `lists of what is inside it miss what was stored at ${record.createdAt}`,
            );
        });
      }
      await this.#tags(tagged);
    }
  }

  async #tags(roots: readonly SignatureRecord[]): Promise<void> {
    if (roots.length === 0) return;
    const each = roots.flatMap(({ id, createdAt, tags }) => tags.map((tag) => ({ id, createdAt, tag })));
    const unlisted = await this.#db.all<[string]>(
      UNLISTED,
      textArray(each.map(({ tag }) => toSafe(tag))),
      arrayOf(
        "int8",
        each.map(({ createdAt }) => createdAt),
      ),
      textArray(each.map(({ id }) => id)),
    );
    for (const [id] of unlisted) this.#tell(id, "lists by its tag miss it");
  }

  async #journal(): Promise<void> {
    let last = { rootId: "", due: 1 };
    await this.#each<JournalRow>(JOURNAL, ["", 0], 2, ([rootId, seq, count, body]) => {
      const due = last.rootId === rootId ? last.due : 1;
      last = { rootId, due: seq + count };
      if (seq !== due) this.#tell(rootId, `its journal jumps to entry ${seq}, but ${due} comes next`);
      if (journalEntries(rootId, seq, body).length !== count)
        this.#tell(rootId, `its journal holds not the ${count} entries from ${seq} on that it should`);
    });
  }

  /** Looks at all rows that a statement gives in the order of their key, which is what comes first in each of them. */
  async #each<R extends readonly Parameter[]>(
    sql: string,
    first: readonly Parameter[],
    keyLength: number,
    look: (row: R) => void,
  ): Promise<void> {
    let key = first;
    while (this.#found.length < this.#limit) {
      const rows = await this.#db.all<R>(sql, ...key, PAGE);
      for (const row of rows) this.#look(() => look(row));
      if (rows.length < PAGE) return;
      key = rows.at(-1)!.slice(0, keyLength);
    }
  }

  #look(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      this.#tell(error.id, error.why);
    }
  }

  /** Many children of one workflow may say the same of it. */
  #tell(id: string, message: string): void {
    if (!this.#found.some((found) => found.id === id && found.message === message))
      this.#found.push({ id, message });
  }
}
