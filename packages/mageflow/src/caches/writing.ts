import type { SignatureRecord } from "../core/record.ts";
import type { Leaving } from "../ports/cache.ts";
import type { Changes } from "../ports/store.ts";

/** How long (ms) nothing inside a workflow that was removed is shown: longer than any copy is kept. */
const GONE_MS = 60_000;

type Places = Omit<Leaving, "lease">;

/** What one transaction writes, as far as copies are concerned. */
export class Writing {
  /** Names the writer; nobody else has this name. */
  readonly by: string;
  /** Workflows of which anything is written. */
  readonly roots: Set<string> = new Set<string>();
  /** Records that exist and change, as they will be. */
  readonly #records = new Map<string, SignatureRecord | null>();
  readonly #gone = new Set<string>();
  /** Those that had a copy: others are not read, and so not kept. */
  readonly #hot = new Set<string>();
  /** Whether it writes a tree that nobody is to see yet. */
  #isDraft = false;

  constructor(by: string) {
    this.by = by;
  }

  get isEmpty(): boolean {
    return this.roots.size === 0;
  }

  get gone(): string[] {
    return [...this.#gone];
  }

  /** Everything whose copies are not to be believed. */
  get all(): Places {
    return { ids: [...this.#records.keys()], gone: this.gone, goneFor: GONE_MS };
  }

  /** Takes in a write; returns what is to be taken away before it, or null. What is new has no copies. */
  add(changes: Changes): Places | null {
    const ids: string[] = [];
    const gone: string[] = [];
    for (const record of changes.update ?? []) {
      ids.push(record.id);
      this.#records.set(record.id, record);
      this.roots.add(record.rootId);
    }
    for (const { rootId } of changes.insert ?? []) this.roots.add(rootId);
    for (const rootId of changes.journal?.keys() ?? []) this.roots.add(rootId);
    for (const noted of [changes.steps, changes.checkpoints, changes.progress])
      for (const { id } of noted ?? []) this.roots.add(id.split(".", 1)[0]!);
    for (const step of changes.drafts ?? []) {
      this.#isDraft = true;
      if ("finish" in step) this.roots.add(step.finish);
      if (!("condemn" in step)) continue;
      gone.push(step.condemn);
      ids.push(step.condemn);
      this.roots.add(step.condemn);
      this.#gone.add(step.condemn);
      this.#records.set(step.condemn, null);
    }
    return ids.length + gone.length === 0 ? null : { ids, gone, goneFor: GONE_MS };
  }

  /** These had copies. */
  heat(ids: readonly string[]): void {
    for (const id of ids) this.#hot.add(id);
  }

  /** What had a copy and gets a new one when it is over, if it was kept. */
  renewed(wasKept: boolean): SignatureRecord[] {
    if (!wasKept || this.#isDraft) return [];
    return [...this.#hot].flatMap((id) => this.#records.get(id) ?? []);
  }
}
