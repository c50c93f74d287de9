import type { SignatureRecord } from "../core/record.ts";
import type { Damage } from "../ports/store.ts";
import { UnreadableError } from "../ports/unreadable.ts";
import { journalEntries } from "./journal-rows.ts";
import { jsonOf } from "./json-text.ts";
import { type Row, toRecord } from "./signature-row.ts";
import { type StoredWorker, toWorker } from "./worker-row.ts";

/** Rows that are looked at together: few enough that nobody waits long for this process. */
const PAGE = 500;

type Value = string | number | boolean | null;

/**
 * A statement that gives all rows of a table in the order of a key, page by page. Its parameters are a key, beyond which it begins, and how
 * many rows; a row has its key first, and then what is to be looked at.
 */
export interface Pages {
  readonly sql: string;
  /** Less than all keys. */
  readonly before: readonly (string | number)[];
}

/** A column that says again what is inside of a JSON text, so that statements can look at it. */
interface Derived {
  readonly name: string;
  readonly field: keyof SignatureRecord;
  readonly of: (record: SignatureRecord) => Value;
}

/** A tag of a root. */
export interface Tagged {
  readonly rootId: string;
  readonly createdAt: number;
  readonly tag: string;
}

/** How one reads everything in a database, for {@link Integrity}. */
export interface Inventory {
  all<R>(sql: string, ...parameters: (string | number)[]): Promise<R[]>;
  /** Whether lists of what is inside a workflow find the record, whether it is shown, its row without payloads, and what it says again. */
  readonly records: Pages;
  readonly derived: readonly Derived[];
  /** The roots of those by whose tags no list would find them. */
  unlisted(tags: readonly Tagged[]): Promise<string[]>;
  /** Of the root of a draft that is stored its id, whether it is one that is being stored, and its row. */
  readonly drafts: Pages;
  /** The ids of those whose root is shown. */
  readonly tombstones: Pages;
  readonly workers: Pages;
  /** Root, number, count and body. */
  readonly journal: Pages;
  /** Root, id and body. */
  readonly specs: Pages;
  /** Signature, name and result. */
  readonly steps: Pages;
  /** Signature and body. */
  readonly checkpoints: Pages;
  readonly progress: Pages;
  /** Number, signature and fields. */
  readonly logs: Pages;
  /** What the server keeps besides, and contradicts the rest: whose it is and what is wrong. */
  readonly contradictions: readonly Pages[];
}

/**
 * What is wrong with what the rows of a server's tables hold. They come page by page and are looked at here, as by whoever uses them: the
 * servers take other texts for JSON.
 */
export class Integrity {
  readonly #inventory: Inventory;
  readonly #limit: number;
  readonly #found: Damage[] = [];

  constructor(inventory: Inventory, limit: number) {
    this.#inventory = inventory;
    this.#limit = limit;
  }

  /** Reads everything, until the limit is reached. */
  async damage(): Promise<Damage[]> {
    const { drafts, tombstones, workers, specs, steps, checkpoints, progress, logs } = this.#inventory;
    await this.#records();
    await this.#each<[string, string, string]>(specs, ([rootId, id, body]) => {
      jsonOf(rootId, `its spec "${id}" is`, body);
    });
    await this.#journal();
    await this.#each<StoredWorker>(workers, (row) => void toWorker(row));
    await this.#each<[string, unknown, ...Row]>(drafts, ([id, isBegun, ...row]) => {
      if (isTrue(isBegun) || toRecord(row).deletion?.purged !== true)
        this.#tell(id, "it is stored, but hidden as one that is still being stored, or removed");
    });
    await this.#each<[string]>(tombstones, ([id]) => this.#tell(id, "it is stored, but has a tombstone"));
    await this.#each<[string, string, string]>(steps, ([id, name, result]) => {
      jsonOf(id, `the result of its step "${name}" is`, result);
    });
    await this.#each<[string, string]>(checkpoints, ([id, body]) => {
      jsonOf(id, "its checkpoint is", body);
    });
    await this.#each<[string, string]>(progress, ([id, body]) => {
      jsonOf(id, "its progress is", body);
    });
    await this.#each<[number, string, string]>(logs, ([seq, id, fields]) => {
      jsonOf(id, `the fields of its log line ${seq} are`, fields);
    });
    for (const pages of this.#inventory.contradictions)
      await this.#each<[string, string]>(pages, ([id, message]) => this.#tell(id, message));
    return this.#found.slice(0, this.#limit);
  }

  async #records(): Promise<void> {
    const { records, derived } = this.#inventory;
    let tagged: SignatureRecord[] = [];
    const look = ([isListed, isShown, ...row]: [unknown, unknown, ...Row, ...Value[]]): void => {
      const record = toRecord(row);
      const stored = row.slice(-derived.length);
      for (const [n, { name, field, of }] of derived.entries())
        if (isOther(of(record), stored[n]!))
          this.#tell(record.id, `its column ${name} says other than ${field}`);
      if (isTrue(isShown) && record.parentId === null && record.tags.length > 0) tagged.push(record);
      if (!isTrue(isListed))
        this.#tell(record.rootId, `lists of what is inside it miss what was stored at ${record.createdAt}`);
    };
    await this.#each(records, look, async () => {
      await this.#tags(tagged);
      tagged = [];
    });
  }

  async #tags(roots: readonly SignatureRecord[]): Promise<void> {
    if (roots.length === 0) return;
    const tags = roots.flatMap(({ id, createdAt, tags: all }) =>
      all.map((tag) => ({ rootId: id, createdAt, tag })),
    );
    for (const id of new Set(await this.#inventory.unlisted(tags)))
      this.#tell(id, "lists by its tag miss it");
  }

  async #journal(): Promise<void> {
    let last = { rootId: "", due: 1 };
    await this.#each<[string, number, number, string]>(
      this.#inventory.journal,
      ([rootId, seq, count, body]) => {
        const due = last.rootId === rootId ? last.due : 1;
        last = { rootId, due: seq + count };
        if (seq !== due) this.#tell(rootId, `its journal jumps to entry ${seq}, but ${due} comes next`);
        if (journalEntries(rootId, seq, body).length !== count)
          this.#tell(rootId, `its journal holds not the ${count} entries from ${seq} on that it should`);
      },
    );
  }

  async #each<R extends readonly unknown[]>(
    { sql, before }: Pages,
    look: (row: R) => void,
    afterPage: () => Promise<void> = async () => {},
  ): Promise<void> {
    let key = before;
    while (this.#found.length < this.#limit) {
      const rows = await this.#inventory.all<(string | number)[]>(sql, ...key, PAGE);
      for (const row of rows) this.#look(() => look(row.slice(before.length) as unknown as R));
      await afterPage();
      if (rows.length < PAGE) return;
      key = rows.at(-1)!.slice(0, before.length);
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

/** Servers without booleans have 0 and 1. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1;
}

function isOther(value: Value, stored: Value): boolean {
  return typeof value === "boolean" && stored !== null ? value !== isTrue(stored) : value !== stored;
}
