import type { Clock, IdSource } from "../../ports/clock.ts";
import type { Engine } from "../../ports/engine.ts";
import type { Store } from "../../ports/store.ts";
import type { AutoResume } from "../../runtime/auto-resume.ts";
import type { Handler } from "../../runtime/handler.ts";
import { Runtime } from "../../runtime/runtime.ts";
import type { Worker } from "../../runtime/worker.ts";
import type { WorkerOptions } from "../../runtime/worker-options.ts";
import type { Actor } from "./scheduler.ts";

/** A simulated process: one runtime, perhaps with a worker, that can die, be frozen, or leave in good order. */
export class Process implements Actor {
  readonly name: string;
  dead = false;
  frozen = false;
  /** True once it takes orders. */
  up = false;
  /** Told to leave in good order. */
  leaving = false;
  /** What strikes it, after so many boundaries from now. */
  strikes: { in: number; readonly strike: () => void }[] = [];
  readonly handlers: Map<string, Handler> = new Map();
  runtime!: Runtime;
  worker: Worker | null = null;
  /** Rejects when the process dies, so that an open transaction is rolled back as a database would. */
  readonly died: Promise<never>;
  #onDeath!: (error: Error) => void;

  constructor(name: string) {
    this.name = name;
    this.died = new Promise((_, reject) => (this.#onDeath = reject));
    this.died.catch(() => {});
  }

  async boot(
    parts: { store: Store; engine: Engine; clock: Clock; ids: IdSource; autoResume: AutoResume },
    worker: WorkerOptions | null,
  ): Promise<void> {
    this.runtime = new Runtime({
      ...parts,
      truth: parts.store,
      handlers: this.handlers,
      // No task of a script asks for a thread.
      isolateEntry: new URL("about:blank"),
      actor: "somebody",
      retain: () => null,
    });
    await this.runtime.start();
    if (worker !== null) this.worker = await this.runtime.worker(worker);
    this.up = true;
  }

  die(): void {
    this.dead = true;
    this.up = false;
    this.#onDeath(new Error(`${this.name} died`));
  }
}
