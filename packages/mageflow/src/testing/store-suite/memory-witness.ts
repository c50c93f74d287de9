import type { Changes, Store } from "../../ports/store.ts";
import { memoryStore } from "../../stores/memory/memory-store.ts";

/** A memory store that is given what the store under test was given, at the same time. */
export class MemoryWitness implements AsyncDisposable {
  readonly store: Store;
  time = 0;

  private constructor() {
    this.store = memoryStore({ now: () => this.time });
  }

  static async open(): Promise<MemoryWitness> {
    const witness = new MemoryWitness();
    await witness.store.open();
    return witness;
  }

  write(changes: Changes): Promise<void> {
    return this.store.transact((tx) => tx.write(changes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}
