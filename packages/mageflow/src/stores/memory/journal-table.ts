import type { Entry, FlowEvent } from "../../core/event.ts";

/** One journal a workflow. The entry with the number `seq` lies at `seq - 1`. */
export class JournalTable {
  readonly #journals = new Map<string, FlowEvent[]>();

  append(rootId: string, entries: readonly Entry[], now: number): void {
    let journal = this.#journals.get(rootId);
    if (journal === undefined) this.#journals.set(rootId, (journal = []));
    for (const entry of entries) journal.push({ ...entry, seq: journal.length + 1, at: now });
  }

  read(rootId: string, after: number, limit: number): FlowEvent[] {
    return this.#journals.get(rootId)?.slice(after, after + limit) ?? [];
  }

  lastSeq(rootId: string): number {
    return this.#journals.get(rootId)?.length ?? 0;
  }

  drop(rootId: string): void {
    this.#journals.delete(rootId);
  }
}
