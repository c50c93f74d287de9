import { describe, expect, test } from "vitest";
import type { Store } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

interface Bell {
  rings: number;
  /** Resolves at the next ring. */
  next(): Promise<void>;
  readonly end: () => void;
}

function listen(store: Store): Bell {
  let ring = Promise.withResolvers<void>();
  const bell: Bell = {
    rings: 0,
    next: () => ring.promise,
    end: store.watch(() => {
      bell.rings++;
      ring.resolve();
      ring = Promise.withResolvers();
    }),
  };
  return bell;
}

export function watchCases(harness: StoreHarness): void {
  describe("watch", () => {
    test(
      "rings after a commit, which can be read by then",
      onStore(harness, async (scene) => {
        const bell = listen(scene.store);
        const rung = bell.next();
        await scene.insert(sampleTask(scene.id));
        await rung;
        expect(await scene.get(scene.id)).toBeDefined();
        bell.end();
      }),
    );

    test(
      "rings again for the next commit",
      onStore(harness, async (scene) => {
        const bell = listen(scene.store);
        for (let n = 0; n < 5; n++) {
          const rung = bell.next();
          await scene.insert(sampleTask(`${scene.id}${n}`));
          await rung;
        }
        expect(bell.rings).toBeGreaterThanOrEqual(5);
        bell.end();
      }),
    );

    test(
      "rings for everyone who listens",
      onStore(harness, async (scene) => {
        const bells = [listen(scene.store), listen(scene.store)];
        const rung = bells.map((bell) => bell.next());
        await scene.insert(sampleTask(scene.id));
        await Promise.all(rung);
        for (const bell of bells) bell.end();
        expect(bells.every(({ rings }) => rings > 0)).toBe(true);
      }),
    );

    test(
      "does not ring for who has stopped listening",
      onStore(harness, async (scene) => {
        const [gone, there] = [listen(scene.store), listen(scene.store)];
        gone.end();
        gone.end();
        const rung = there.next();
        await scene.insert(sampleTask(scene.id));
        await rung;
        expect(gone.rings).toBe(0);
        there.end();
      }),
    );
  });
}
