import { describe, expect, test } from "vitest";
import type { EngineHarness } from "../harness.ts";
import { carried } from "../scene.ts";
import { deliveries, delivery } from "../taker.ts";

export function consumeCases(harness: EngineHarness): void {
  describe("consume", () => {
    test(
      "brings only tasks that were asked for",
      carried(harness, async (scene) => {
        await scene.carrier().publish([delivery("of b", { name: "b" }), delivery("of a")]);
        const taker = scene.taker({ tasks: { a: 10 }, answers: "ended" });
        const other = scene.taker({ tasks: { b: 10 }, answers: "ended" });
        await Promise.all([taker.until(1), other.until(1)]);
        expect([taker.ids, other.ids]).toEqual([["of a"], ["of b"]]);
      }),
    );

    test(
      "two consumers of a task share what there is",
      carried(harness, async (scene) => {
        const [one, two] = [1, 2].map(() => scene.taker({ tasks: { a: 20 }, concurrency: 20 }));
        await scene.carrier().publish(deliveries(40));
        await Promise.all([one!.until(20), two!.until(20)]);
        expect(new Set([...one!.ids, ...two!.ids]).size).toBe(40);
      }),
    );

    test(
      "no more are out than there is room for, but for one of each task",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 5, b: 5 }, concurrency: 5 });
        await scene.carrier().publish([...deliveries(40), ...deliveries(40, { name: "b" })]);
        for (let n = 1; n <= 80; n++) {
          await taker.until(n);
          taker.answer();
        }
        expect(taker.most).toBeLessThanOrEqual(7);
        expect(new Set(taker.ids).size).toBe(80);
      }),
    );

    test(
      "no more of a task are out than there is room for",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 2, b: 50 }, concurrency: 50 });
        await scene.carrier().publish([...deliveries(30), ...deliveries(30, { name: "b" })]);
        await taker.until(32);
        expect(taker.mostOf.get("a")).toBe(2);
        expect(taker.mostOf.get("b")).toBe(30);
      }),
    );

    test(
      "a task that is full does not hold up another",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 1, b: 10 }, concurrency: 10 });
        await scene.carrier().publish(deliveries(20));
        await taker.until(1);
        await scene.carrier().publish(deliveries(5, { name: "b" }));
        await taker.until(6);
        expect(taker.taken.filter(({ name }) => name === "b")).toHaveLength(5);
      }),
    );

    test(
      "what becomes free is filled, answer by answer",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 3 }, concurrency: 3 });
        await scene.carrier().publish(deliveries(12));
        for (let n = 3; n <= 12; n++) {
          await taker.until(n);
          expect(taker.held).toBeLessThanOrEqual(3);
          taker.answer();
        }
        expect(taker.ids).toHaveLength(12);
      }),
    );

    test(
      "is filled again after it was empty",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = scene.taker({ tasks: { a: 10 }, answers: "ended" });
        for (let n = 1; n <= 20; n++) {
          await carrier.publish([delivery(`x${n}`)]);
          await taker.until(n);
        }
        expect(taker.ids).toHaveLength(20);
      }),
    );

    test(
      "a consumer of many tasks gets all of them",
      carried(harness, async (scene) => {
        const names = Array.from({ length: 20 }, (_, i) => `task ${i}`);
        const taker = scene.taker({ tasks: Object.fromEntries(names.map((name) => [name, 5])) });
        await scene.carrier().publish(names.map((name) => delivery("x", { name })));
        await taker.until(20);
        expect(taker.taken.map(({ name }) => name).sort()).toEqual([...names].sort());
      }),
    );
  });

  describe("answers", () => {
    test.for(["ended", "stale"] as const)("%s takes a delivery away", async (answer, context) =>
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1 });
        await scene.carrier().publish([delivery("x"), delivery("y")]);
        await taker.until(1);
        taker.answer(answer);
        await taker.until(2);
        const other = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish([delivery("last")]);
        await other.until(1);
        expect([taker.ids, other.ids]).toEqual([["x", "y"], ["last"]]);
      })(context),
    );

    test(
      "what is returned is brought to another",
      carried(harness, async (scene) => {
        const first = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish([delivery("x", { epoch: 4 })]);
        await first.until(1);
        const stopped = first.consumption.stop();
        first.answer("returned");
        await stopped;
        const second = scene.taker({ tasks: { a: 10 } });
        await second.until(1);
        expect(second.taken).toMatchObject([{ id: "x", epoch: 4 }]);
      }),
    );

    test(
      "what is returned by the only one there is comes back",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1 });
        await scene.carrier().publish([delivery("x")]);
        await taker.until(1);
        taker.answer("returned");
        await taker.until(2);
        expect(taker.ids).toEqual(["x", "x"]);
      }),
    );

    test(
      "may come in any order",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 }, concurrency: 10 });
        await scene.carrier().publish(deliveries(20));
        await taker.until(10);
        taker.answer("stale");
        taker.answer("returned");
        taker.answer("ended");
        await taker.until(13);
        taker.answerAll();
        await taker.until(21);
        expect(new Set(taker.ids).size).toBe(20);
      }),
    );
  });

  describe("stop", () => {
    test(
      "brings nothing more, and leaves it to others",
      carried(harness, async (scene) => {
        const first = scene.taker({ tasks: { a: 10 }, answers: "ended" });
        await scene.carrier().publish([delivery("x")]);
        await first.until(1);
        await first.consumption.stop();
        await scene.carrier().publish(deliveries(20));
        const second = scene.taker({ tasks: { a: 20 }, answers: "ended" });
        await second.until(20);
        expect(first.ids).toEqual(["x"]);
      }),
    );

    test(
      "waits for what is out",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish(deliveries(3));
        await taker.until(3);
        let isOver = false;
        const stopped = taker.consumption.stop().then(() => (isOver = true));
        taker.answer();
        taker.answer();
        // Whatever is to happen has time to happen while another one comes and goes.
        const other = scene.taker({ tasks: { a: 1 }, answers: "ended" });
        await scene.carrier().publish([delivery("other")]);
        await other.until(1);
        expect(isOver).toBe(false);
        taker.answer();
        await stopped;
      }),
    );

    test(
      "can be asked for again, and when nothing was ever brought",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 } });
        await Promise.all([taker.consumption.stop(), taker.consumption.stop()]);
        await taker.consumption.stop();
        expect(taker.ids).toEqual([]);
      }),
    );

    test(
      "of one leaves the others of its process alone",
      carried(harness, async (scene) => {
        const [one, two] = [1, 2].map(() => scene.taker({ tasks: { a: 10 }, answers: "ended" }));
        await one!.consumption.stop();
        await scene.carrier().publish(deliveries(10));
        await two!.until(10);
        expect(one!.ids).toEqual([]);
      }),
    );
  });
}
