import type { WorkerRow } from "../../ports/store.ts";
import { byText } from "./record-order.ts";

/** Worker sessions. There are few, so every question looks at all of them. */
export class WorkerTable {
  readonly #workers = new Map<string, WorkerRow>();

  put(row: WorkerRow): void {
    this.#workers.set(row.id, row);
  }

  newest(limit: number): WorkerRow[] {
    return [...this.#workers.values()]
      .sort((a, b) => b.startedAt - a.startedAt || byText(b.id, a.id))
      .slice(0, limit);
  }

  /** Sessions whose lease has lapsed at `now`, those first that lapsed first. */
  lapsed(now: number, limit: number): WorkerRow[] {
    return [...this.#workers.values()]
      .filter((row) => row.endedAt === null && row.leaseUntil <= now)
      .sort((a, b) => a.leaseUntil - b.leaseUntil || byText(a.id, b.id))
      .slice(0, limit);
  }

  alive(id: string): boolean {
    return this.#workers.get(id)?.endedAt === null;
  }

  extend(id: string, leaseUntil: number): boolean {
    const row = this.#workers.get(id);
    if (row === undefined || row.endedAt !== null) return false;
    this.#workers.set(id, { ...row, leaseUntil });
    return true;
  }
}
