import { setTimeout as sleep } from "node:timers/promises";
import { type Entry, OUTLIVES, type Rest, unrestOf, type Witness } from "./history.ts";

/** Where ids stand. */
interface Column {
  readonly table: string;
  readonly column: string;
}

/** A database of a server, as a witness asks it. */
export interface Notebook {
  /** What makes the tables and triggers that note, where there are none yet; a statement each. */
  readonly begin: readonly string[];
  /** Gives the last `seq` there is. */
  readonly last: string;
  /** Gives entries. */
  readonly history: string;
  /** Gives the `id`, `seq` and `action` of workflows that are gone. */
  readonly gone: string;
  /** Gives how the workflow with an id rests. */
  readonly rest: string;
  /** Gives all columns in which ids may stand. */
  readonly columns: string;
  /** Gives as `id` what a column has that is an id, or stands between two others. */
  mentions(column: Column): string;
  /** The name of a table in other stores. */
  plainName(table: string): string;
  /** Asked once. */
  ask(sql: string, values?: readonly string[]): Promise<unknown[]>;
  close(): Promise<void>;
}

/** Reads what the witness has noted, and what is left of a workflow, straight from a server, which may be restarted meanwhile. */
export class ServerWitness implements Witness {
  readonly #notebook: Notebook;

  constructor(notebook: Notebook) {
    this.#notebook = notebook;
  }

  async begin(): Promise<void> {
    for (const statement of this.#notebook.begin) await this.#ask(statement);
  }

  async seq(): Promise<number> {
    const [row] = await this.#ask<{ seq: number }>(this.#notebook.last);
    return row!.seq;
  }

  async history(): Promise<Entry[]> {
    const rows = await this.#ask<Entry>(this.#notebook.history);
    return rows.map((row) => ({ ...row, claimed: Boolean(row.claimed), born: Boolean(row.born) }));
  }

  async gone(): Promise<Map<string, { seq: number; action: string }>> {
    type Gone = { id: string; seq: number; action: string };
    return new Map((await this.#ask<Gone>(this.#notebook.gone)).map((row) => [row.id, row]));
  }

  async unrest(rootId: string): Promise<string | null> {
    const [row] = await this.#ask<Rest>(this.#notebook.rest, [rootId]);
    if (row === undefined) return (await this.remains(rootId))[0] ?? null;
    return unrestOf({ ...row, stopped: Boolean(row.stopped), marked: Boolean(row.marked) });
  }

  async remains(rootId: string): Promise<string[]> {
    const found: string[] = [];
    for (const place of await this.#ask<Column>(this.#notebook.columns)) {
      if (OUTLIVES.includes(this.#notebook.plainName(place.table))) continue;
      const below = [`${rootId}.`, `${rootId}/`];
      const rows = await this.#ask<{ id: string }>(this.#notebook.mentions(place), [rootId, ...below]);
      found.push(...rows.map(({ id }) => `${place.table} ${place.column} ${id}`));
    }
    return found;
  }

  close(): Promise<void> {
    return this.#notebook.close();
  }

  /** What is asked again does no harm. */
  async #ask<Row>(sql: string, values?: readonly string[]): Promise<Row[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return (await this.#notebook.ask(sql, values)) as Row[];
      } catch (error) {
        if (attempt === TRIES) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }
}

/** A minute: longer than a server takes to come back where much else goes on. */
const TRIES = 600;
const PAUSE_MS = 100;
