import { above } from "../above.ts";
import { gateOf } from "../gates.ts";
import type { Purpose, TransactionGates } from "../server-transaction.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { list } from "./literals.ts";

/**
 * What happens to a signature depends on those that it stands below: nothing starts below one that is suspended or has stopped. They are
 * read without a lock, so that no finish waits for a busy container. A transaction that gives one of them an order could then miss what
 * another one is just starting below it, which has read it as it was before, and neither would ever know.
 *
 * Hence gates: who goes on below a signature passes its gate (a shared lock), and who was asked to lock a container before anything
 * else closes it (an exclusive one), waits for all who have passed, and lets others pass when its transaction has ended. They are rows of
 * a table, of which there are so many only, and several signatures may share one: then some wait for nothing.
 */
const GATES = 256;

/** Rows behind those of the gates. */
const PURPOSES: readonly Purpose[] = ["audit", "starts"];

const CLOSE =
  "SELECT gate FROM mageflow_gates FORCE INDEX (PRIMARY) WHERE gate IN $1 ORDER BY gate FOR UPDATE";

const PASS =
  "SELECT gate FROM mageflow_gates FORCE INDEX (PRIMARY) WHERE gate IN $1 ORDER BY gate LOCK IN SHARE MODE";

/** Those that can be passed without waiting. The servers have different words for it. */
const OPEN = `SELECT gate FROM mageflow_gates FORCE INDEX (PRIMARY) WHERE gate IN $1
  ORDER BY gate /*!80000 FOR SHARE */ /*M! LOCK IN SHARE MODE */ SKIP LOCKED`;

const CONTAINERS = `SELECT ${text("id")} FROM mageflow_signatures FORCE INDEX (PRIMARY) WHERE id IN $1 AND kind <> 'task'`;

/** Waits for other transactions that do the same, until they end. */
export async function onlyOne(db: Connection, purpose: Purpose): Promise<void> {
  await db.all(CLOSE, list([GATES + PURPOSES.indexOf(purpose)]));
}

/** The gates of one transaction. */
export class Gates implements TransactionGates {
  readonly #db: Connection;
  readonly #passed = new Set<number>();
  #isFirst = true;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Those of these whose gates are to be closed: containers, if they are the first that the transaction locks. */
  async toClose(ids: readonly string[], isTask: (id: string) => boolean): Promise<string[]> {
    const maybe = this.#isFirst ? ids.filter((id) => !isTask(id)) : [];
    this.#isFirst = false;
    if (maybe.length === 0) return [];
    return (await this.#db.all<[string]>(CONTAINERS, list(maybe))).map(([id]) => id);
  }

  /** To be sent before these are locked. */
  async toLock(ids: readonly string[], closed: readonly string[]): Promise<void> {
    await this.#through(above(ids), closed);
  }

  /** To be sent before these are read, as those that others stand below. */
  async toRead(ids: readonly string[]): Promise<void> {
    this.#isFirst = false;
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
      const open = await this.#db.all<[number]>(OPEN, list(wanted));
      for (const [gate] of open) this.#passed.add(gate);
    }
    return (id) => this.#passed.has(gateOf(id, GATES));
  }

  /** Waits for what is closed; in the order of gates, so that no two who want several wait for each other. */
  async #through(passed: readonly string[], closed: readonly string[]): Promise<void> {
    const closes = new Set(closed.map((id) => gateOf(id, GATES)));
    const wanted = new Set(closes);
    for (const id of passed) {
      const gate = gateOf(id, GATES);
      if (!this.#passed.has(gate)) wanted.add(gate);
    }
    for (const gate of wanted) this.#passed.add(gate);
    const sent = runsOf(
      [...wanted].sort((a, b) => a - b),
      (gate) => closes.has(gate),
    ).map((run) => this.#db.all(closes.has(run[0]!) ? CLOSE : PASS, list(run)));
    await Promise.all(sent);
  }
}

/** Neighbours that are alike, together. */
function runsOf(gates: readonly number[], kind: (gate: number) => boolean): number[][] {
  const runs: number[][] = [];
  for (const gate of gates) {
    const run = runs.at(-1);
    if (run !== undefined && kind(run[0]!) === kind(gate)) run.push(gate);
    else runs.push([gate]);
  }
  return runs;
}
