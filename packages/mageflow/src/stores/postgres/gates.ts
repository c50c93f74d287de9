import { above } from "../above.ts";
import { gateOf } from "../gates.ts";
import type { TransactionGates } from "../server-transaction.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import type { Location } from "./location.ts";

/**
 * What happens to a signature depends on those that it stands below: nothing starts below one that is suspended or has stopped. They are
 * read without a lock, so that no finish waits for a busy container. A transaction that gives one of them an order could then miss what
 * another one is just starting below it, which has read it as it was before, and neither would ever know.
 *
 * Hence gates: who goes on below a signature passes its gate (a shared lock), and who was asked to lock a container before anything
 * else closes it (an exclusive one), waits for all who have passed, and lets others pass when its transaction has ended. They are
 * advisory locks, of which there are so many only, and several signatures may share one: then some wait for nothing.
 */
const GATES = 256;

/** In the order of gates, so that no two who want several wait for each other. Ids without a container close nothing. */
const THROUGH = `SELECT CASE WHEN closes THEN pg_advisory_xact_lock(hashtext($1), gate)
    ELSE pg_advisory_xact_lock_shared(hashtext($1), gate) END
  FROM (
    SELECT gate, bool_or(id IS NOT NULL) AS closes FROM unnest($2::int[], $3::text[]) AS wanted (gate, id)
    WHERE id IS NULL OR EXISTS (SELECT FROM signatures WHERE signatures.id = wanted.id AND kind <> 'task')
    GROUP BY gate ORDER BY gate OFFSET 0
  ) AS gates`;

/** Those that can be passed without waiting. */
const OPEN = `SELECT gate FROM unnest($2::int[]) AS wanted (gate)
  WHERE pg_try_advisory_xact_lock_shared(hashtext($1), gate)`;

/** The gates of one transaction. */
export class Gates implements TransactionGates {
  readonly #db: Connection;
  readonly #space: string;
  readonly #passed = new Set<number>();
  #isFirst = true;

  constructor(db: Connection, { schema }: Location) {
    this.#db = db;
    this.#space = `mageflow ${schema} gates`;
  }

  /** To be sent before these are locked: closes their gates, if it is the first thing that the transaction does. */
  async toLock(ids: readonly string[], isTask: (id: string) => boolean): Promise<void> {
    const closed = this.#isFirst ? ids.filter((id) => !isTask(id)) : [];
    await this.#through(above(ids), closed);
  }

  /** To be sent before these are read, as those that others stand below. */
  async toRead(ids: readonly string[]): Promise<void> {
    await this.#through(ids, []);
  }

  /**
   * To be sent before these are read: passes those gates that are open, and tells which ids that is good for. Who takes what there is
   * in whatever workflow waits for nobody: it holds gates already that others may wait for.
   */
  async passable(ids: readonly string[]): Promise<(id: string) => boolean> {
    const wanted = [...new Set(ids.map((id) => gateOf(id, GATES)))].filter((gate) => !this.#passed.has(gate));
    this.#isFirst = false;
    if (wanted.length > 0) {
      const open = await this.#db.all<[number]>(OPEN, this.#space, arrayOf("int4", wanted));
      for (const [gate] of open) this.#passed.add(gate);
    }
    return (id) => this.#passed.has(gateOf(id, GATES));
  }

  /** Waits for what is closed. */
  async #through(passed: readonly string[], closed: readonly string[]): Promise<void> {
    this.#isFirst = false;
    const gates: number[] = [];
    const ids: (string | null)[] = [];
    for (const id of closed) {
      gates.push(gateOf(id, GATES));
      ids.push(id);
    }
    for (const id of passed) {
      const gate = gateOf(id, GATES);
      if (this.#passed.has(gate)) continue;
      this.#passed.add(gate);
      gates.push(gate);
      ids.push(null);
    }
    if (gates.length > 0) await this.#db.all(THROUGH, this.#space, arrayOf("int4", gates), textArray(ids));
  }
}
