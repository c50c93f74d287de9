import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryWitness } from "../memory-witness.ts";
import { batchArbitrary, questionArbitrary, Story } from "../random-story.ts";
import type { StoreHarness } from "../harness.ts";
import { onStore } from "../scene.ts";

/** Each run is a story of several commits, with every question asked after each of them. */
const RUNS = 25;

/** What fits into the minute of a test (ms): a slow store is asked less, and a story that fails is told as small as it was made until then. */
const TIME = 45_000;

export function differentialCases(harness: StoreHarness): void {
  describe("the memory store as witness", () => {
    test(
      "the same commits give the same answers to the same questions",
      onStore(harness, async (scene) => {
        const chapter = fc.record({ batch: batchArbitrary, question: questionArbitrary });
        let run = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(chapter, { minLength: 1, maxLength: 12, size: "max" }),
            async (chapters) => {
              const story = new Story(`${scene.id}r${run++}x`);
              await using witness = await MemoryWitness.open();
              try {
                for (const { batch, question } of chapters) {
                  const changes = story.next(batch);
                  witness.time = await scene.write(changes);
                  await witness.write(changes);
                  const answers = await story.ask(scene.store, question);
                  expect(answers).toEqual(await story.ask(witness.store, question));
                  await story.discard(batch.discard, [scene.store, witness.store]);
                }
              } finally {
                await scene.rest();
              }
            },
          ),
          { numRuns: RUNS, interruptAfterTimeLimit: TIME },
        );
      }),
    );
  });
}
