import type { Engine } from "../../ports/engine.ts";

/** How the suite gets at the engine under test. */
export interface EngineHarness {
  /** Heads the report. */
  readonly name: string;
  /** A place that no other has to do with, for one case. */
  place(): Promise<EnginePlace>;
  /** Why nothing can be tested here, to be shown with what is skipped; null when it can. */
  readonly missing: string | null;
}

/** Where the processes of one case meet. */
export interface EnginePlace {
  /** The engine of one more process. It is closed by who asks for it. */
  engine(): Engine;
  /** Everything that the engine holds here is lost, as when its server is emptied. */
  lose(): Promise<void>;
  /** Leaves nothing behind. */
  remove(): Promise<void>;
}
