import { between } from "../core/between.ts";
import { childId } from "../core/ids.ts";
import { holds, recount, remedy, restart } from "../core/reason-to-wait.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Addressed } from "../core/signal.ts";
import { spread } from "../core/spread.ts";
import { isEnded, type Status } from "../core/status.ts";
import type { Store } from "../ports/store.ts";
import type { Batch } from "./batch.ts";
import { butUnreadable } from "./but-unreadable.ts";
import type { Committer } from "./committer.ts";
import type { TakeOver } from "./take-over.ts";
import { warnOfMended } from "./warning.ts";

/** Signatures that one look takes in: each round of the walk goes on by so many. */
const WINDOW = 200;
/** Statuses of children that are counted. */
const ENDED: readonly Status[] = ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"];

/**
 * Law 6 for what carries no mark: finds open signatures of which nothing says that there is something to do, and to which nothing
 * will ever come. There are none unless a signal was lost; then each round finds those that show it by their own record or their
 * worker, and a walk through everything that waits for something inside it finds the rest, a window a round.
 *
 * It looks beside all transactions. Only what stands still there is looked at again under its lock, and mended if it still does.
 */
export class Mender {
  readonly #store: Store;
  readonly #committer: Committer;
  readonly #session: string;
  readonly #takeOver: TakeOver;
  #walked: Cursor = null;
  #seen: Cursor = null;
  #begun = false;
  #mended = 0;

  constructor(store: Store, committer: Committer, session: string, takeOver: TakeOver) {
    this.#store = store;
    this.#committer = committer;
    this.#session = session;
    this.#takeOver = takeOver;
  }

  /** How many signatures were mended since the process began. */
  get mended(): number {
    return this.#mended;
  }

  async round(): Promise<void> {
    await this.#strays();
    await this.#stalled();
    await this.#held();
    await this.#walk();
  }

  /** Tasks that run under no session that anybody looks after. */
  async #strays(): Promise<void> {
    const strays = await this.#store.strays(WINDOW);
    if (strays.length > 0) this.#tell(await butUnreadable(strays, (some) => this.#takeOver.strays(some)));
  }

  async #stalled(): Promise<void> {
    await this.#mend(await this.#store.stalled(WINDOW), (_, record) => {
      const signal = restart(record);
      return signal === null ? [] : [{ to: record.id, signal }];
    });
  }

  /** What is held by something that neither is suspended nor lets go. */
  async #held(): Promise<void> {
    const holders = await this.#store.holders({ after: this.#seen, limit: WINDOW });
    this.#seen = holders.length < WINDOW ? null : holders.at(-1)!;
    if (holders.length === 0) return;
    const unreadable = new Set<string>();
    const read = await butUnreadable(
      holders,
      (some) => this.#store.get(some),
      ({ id }) => void unreadable.add(id),
    );
    const known = new Map(read.map((record) => [record.id, record]));
    for (const holder of holders) {
      if (unreadable.has(holder) || holds(known.get(holder))) continue;
      const held = await this.#committer.run({
        locks: [holder],
        apply: async (batch) => {
          if (holds(batch.get(holder))) return [];
          return ids(await batch.tx.window({ id: holder, what: "unhold", limit: WINDOW }));
        },
      });
      await this.#mend(held, (batch, { id, heldBy }) =>
        heldBy === null || holds(batch.get(heldBy)) ? [] : [{ to: id, signal: { type: "start" } }],
      );
    }
  }

  /** Goes on through what waits for something inside it, and begins anew at its end. */
  async #walk(): Promise<void> {
    if (!this.#begun) await this.#begin();
    const page = await this.#store.unsettled({ after: this.#walked, limit: WINDOW });
    this.#walked = page.length < WINDOW ? null : page.at(-1)!.id;
    const unmarked = page.filter(({ sweep }) => sweep === null);
    if (unmarked.length === 0) return;
    const awaited = await this.#store.awaited(ids(unmarked));
    const still = unmarked.filter((record) => remedy(record, awaited.get(record.id) ?? []) !== null);
    await this.#mend(ids(still), unstick);
  }

  /** Processes begin at different places, so that short-lived ones come to see everything too. */
  async #begin(): Promise<void> {
    const [first] = await this.#store.unsettled({ after: null, limit: 1 });
    this.#begun = true;
    // The id in its own name is the greatest that there is yet.
    const last = this.#session.slice(this.#session.indexOf("-") + 1);
    if (first !== undefined) this.#walked = between(first.id, last, spread(this.#session));
  }

  /** Looks at these under their locks, and sends what mends them. */
  async #mend(suspects: readonly string[], look: Look): Promise<void> {
    if (suspects.length === 0) return;
    this.#tell(await butUnreadable(suspects, (some) => this.#sendTo(some, look)));
  }

  #sendTo(suspects: readonly string[], look: Look): Promise<SignatureRecord[]> {
    return this.#committer.run({
      locks: suspects,
      apply: async (batch) => {
        const found: SignatureRecord[] = [];
        for (const id of suspects) {
          // What this very transaction has changed goes on.
          if (!batch.isAsFound(id)) continue;
          const record = batch.get(id)!;
          if (batch.isRemoved(record) || batch.sound([record]).length === 0) continue;
          const remedies = await look(batch, record);
          for (const addressed of remedies) batch.send(addressed);
          if (remedies.length > 0) found.push(record);
        }
        return found;
      },
    });
  }

  #tell(mended: readonly SignatureRecord[]): void {
    this.#mended += mended.length;
    warnOfMended(mended);
  }
}

type Cursor = string | null;
type Remedies = readonly Addressed[];
type Look = (batch: Batch, record: SignatureRecord) => Remedies | Promise<Remedies>;

/** What mends a signature that waits for something inside it, as the store has it now. */
async function unstick(batch: Batch, record: SignatureRecord): Promise<Remedies> {
  const awaited = (await batch.tx.awaited([record.id])).get(record.id) ?? [];
  const found = remedy(record, awaited);
  if (found === null) return [];
  if (found !== "recount") return [found];
  const isOver = isEnded(record.status);
  const counts = isOver ? null : await batch.tx.tally(record.id, ENDED);
  // The step that may decide a chain's outcome.
  if (counts !== null) {
    const last = record.family!.total - 1;
    await batch.read([childId(record.id, Math.min(counts.get("SUCCEEDED") ?? 0, last))]);
  }
  return [recount(record, awaited, counts) ?? []].flat();
}

function ids(records: readonly SignatureRecord[]): string[] {
  return records.map(({ id }) => id);
}
