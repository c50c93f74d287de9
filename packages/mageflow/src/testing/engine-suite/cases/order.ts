import { describe, expect, test } from "vitest";
import type { EngineHarness } from "../harness.ts";
import { carried } from "../scene.ts";
import { deliveries, delivery } from "../taker.ts";

/** A timer may be early by what it rounds. */
const ROUNDING_MS = 5;

export function orderCases(harness: EngineHarness): void {
  describe("priorities", () => {
    test.for<[what: string, priorities: readonly number[], expected: readonly number[]]>([
      ["bigger ones come first", [1, 5, 3], [5, 3, 1]],
      ["0 is between what is more and what is less urgent", [0, -1, 1], [1, 0, -1]],
      ["any whole number will do", [0, -1e15, 1e15], [1e15, 0, -1e15]],
    ])("%s", ([, priorities, expected], context) =>
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.publish(priorities.map((priority) => delivery(String(priority), { priority })));
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(priorities.length);
          expect(taker.ids).toEqual(expected.map(String));
        },
        "priorities",
      )(context),
    );

    test(
      "what is published later and is more urgent overtakes",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.publish(deliveries(10));
          await carrier.publish([delivery("urgent", { priority: 9 })]);
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(11);
          expect(taker.ids[0]).toBe("urgent");
        },
        "priorities",
      ),
    );

    test(
      "of equal ones the earlier comes first",
      carried(
        harness,
        async (scene) => {
          await scene.carrier().publish(deliveries(20, { priority: 3 }));
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(20);
          expect(taker.ids).toEqual(deliveries(20).map(({ id }) => id));
        },
        "priorities",
      ),
    );
  });

  describe("delays", () => {
    test(
      "a delivery does not come before its time, and does come",
      carried(
        harness,
        async (scene) => {
          const taker = scene.taker({ tasks: { a: 10 } });
          const begun = performance.now();
          await scene.carrier().publish([delivery("x", { delay: 300 })]);
          await taker.until(1);
          expect(taker.at[0]! - begun).toBeGreaterThanOrEqual(300 - ROUNDING_MS);
        },
        "delays",
      ),
    );

    test(
      "those whose time is nearer come first, and all after what is not delayed",
      carried(
        harness,
        async (scene) => {
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await scene
            .carrier()
            .publish([delivery("3", { delay: 600 }), delivery("2", { delay: 300 }), delivery("1")]);
          await taker.until(3);
          expect(taker.ids).toEqual(["1", "2", "3"]);
        },
        "delays",
      ),
    );

    test(
      "what waits for its time is brought once, also when it is published again",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await carrier.publish([delivery("x", { delay: 200 })]);
          await carrier.publish([delivery("x"), delivery("last", { delay: 600 })]);
          await taker.until(2);
          expect(taker.ids).toEqual(["x", "last"]);
        },
        "delays",
      ),
    );

    test(
      "a delivery waits for its time when nobody is there to take it",
      carried(
        harness,
        async (scene) => {
          const begun = performance.now();
          await scene.carrier().publish([delivery("x", { delay: 200 })]);
          const taker = scene.taker({ tasks: { a: 10 } });
          await taker.until(1);
          expect(taker.at[0]! - begun).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
        },
        "delays",
      ),
    );
  });
}
