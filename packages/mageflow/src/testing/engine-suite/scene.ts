import type { TestContext } from "vitest";
import type { Carrier, EngineCapabilities } from "../../ports/engine.ts";
import type { EngineHarness, EnginePlace } from "./harness.ts";
import { Taker } from "./taker.ts";

/** What one case plays on: a place, and what was opened there, which is closed at the end. */
export class Scene implements AsyncDisposable {
  readonly place: EnginePlace;
  readonly #carriers: Carrier[] = [];
  readonly #takers: Taker[] = [];

  constructor(place: EnginePlace) {
    this.place = place;
  }

  /** What one more process carries with. */
  carrier(): Carrier {
    const carrier = this.place.engine().carrier!;
    this.#carriers.push(carrier);
    return carrier;
  }

  /** What takes deliveries in a process of its own. */
  taker(...[options]: [ConstructorParameters<typeof Taker>[1]]): Taker {
    const taker = new Taker(this.carrier(), options);
    this.#takers.push(taker);
    return taker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#takers.map(async (taker) => {
        const stopped = taker.consumption.stop();
        taker.answerAll();
        await stopped;
      }),
    );
    await Promise.all(this.#carriers.map((carrier) => carrier.close()));
    await this.place.remove();
  }
}

/** A test of what is carried; skipped, with the reason, for an engine that does not do what it needs. */
export function carried(
  harness: EngineHarness,
  play: (scene: Scene) => Promise<void>,
  needs?: "delays" | "revokes" | "priorities",
): (context: TestContext) => Promise<void> {
  return async (context) => {
    if (harness.missing !== null) context.skip(harness.missing);
    const place = await harness.place();
    await using scene = new Scene(place);
    const { capabilities } = place.engine();
    const lack = lacking(capabilities, needs);
    if (lack !== null) context.skip(lack);
    await play(scene);
  };
}

/** What the engine says that it does not do, or null. */
function lacking(capabilities: EngineCapabilities, needs?: keyof EngineCapabilities): string | null {
  if (capabilities.source === "store") return "source: workers take their tasks from the store";
  if (needs === undefined) return null;
  return capabilities[needs] === false || capabilities[needs] === "none" ? `${needs}: it has none` : null;
}
