import type { Progress } from "../../core/event.ts";
import type { Notes } from "../../ports/store.ts";

interface Page {
  readonly steps: Map<string, string>;
  checkpoint: string | null;
  progress: Progress | null;
}

/** What task code saved, by signature and generation. */
export class NoteTable {
  readonly #signatures = new Map<string, Map<number, Page>>();

  /** Where the notes of one generation are written. */
  page(id: string, generation: number): Page {
    let generations = this.#signatures.get(id);
    if (generations === undefined) this.#signatures.set(id, (generations = new Map()));
    let page = generations.get(generation);
    if (page === undefined) {
      generations.set(generation, (page = { steps: new Map(), checkpoint: null, progress: null }));
    }
    return page;
  }

  /** Forgets the notes of a workflow. */
  drop(rootId: string): void {
    for (const id of this.#signatures.keys()) {
      if (id === rootId || id.startsWith(`${rootId}.`)) this.#signatures.delete(id);
    }
  }

  read(id: string, generation: number): Notes {
    const page = this.#signatures.get(id)?.get(generation);
    return {
      steps: new Map(page?.steps),
      checkpoint: page?.checkpoint ?? null,
      progress: page?.progress ?? null,
    };
  }
}
