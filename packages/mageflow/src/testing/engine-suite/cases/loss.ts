import { describe, expect, test } from "vitest";
import type { EngineHarness } from "../harness.ts";
import { carried, Scene } from "../scene.ts";
import { deliveries, delivery } from "../taker.ts";

export function lossCases(harness: EngineHarness): void {
  describe("when everything is lost", () => {
    test(
      "what is published again comes, and what is not does not",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish(deliveries(10));
        await scene.place.lose();
        await carrier.publish([delivery("a.3")]);
        const taker = scene.taker({ tasks: { a: 10 }, answers: "ended" });
        await taker.until(1);
        expect(taker.ids).toEqual(["a.3"]);
      }),
    );

    test(
      "a consumer that waits goes on",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = scene.taker({ tasks: { a: 10 }, answers: "ended" });
        for (let n = 1; n <= 5; n++) {
          await carrier.publish([delivery(`x${n}`)]);
          await taker.until(n);
          await scene.place.lose();
        }
        expect(taker.ids).toHaveLength(5);
      }),
    );

    test(
      "what is held can be answered, and its place is filled",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 3 }, concurrency: 3 });
        await scene.carrier().publish(deliveries(10));
        await taker.until(3);
        await scene.place.lose();
        taker.answer("ended");
        taker.answer("stale");
        taker.answer("returned");
        await scene.carrier().publish(deliveries(3, { epoch: 1 }));
        await taker.until(6);
        expect(taker.taken.slice(3).map(({ epoch }) => epoch)).toEqual([1, 1, 1]);
      }),
    );

    test(
      "what is held and published again meanwhile may come twice, and no harm is done",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = scene.taker({ tasks: { a: 5 } });
        await carrier.publish([delivery("x")]);
        await taker.until(1);
        await scene.place.lose();
        await carrier.publish([delivery("x")]);
        await taker.until(2);
        taker.answerAll();
        await carrier.publish([delivery("y")]);
        await taker.until(3);
        expect(taker.ids).toEqual(["x", "x", "y"]);
      }),
    );

    test(
      "who has what was lost can stop",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish(deliveries(5));
        await taker.until(5);
        await scene.place.lose();
        const stopped = taker.consumption.stop();
        taker.answerAll("returned");
        await stopped;
        expect(taker.held).toBe(0);
      }),
    );
  });

  describe("places", () => {
    test(
      "have nothing to do with each other",
      carried(harness, async (scene) => {
        await using elsewhere = new Scene(await harness.place());
        const [here, there] = [scene, elsewhere].map((each) => each.taker({ tasks: { a: 10 } }));
        await scene.carrier().publish([delivery("here")]);
        await elsewhere.carrier().publish([delivery("there")]);
        await Promise.all([here!.until(1), there!.until(1)]);
        expect([here!.ids, there!.ids]).toEqual([["here"], ["there"]]);
      }),
    );
  });

  describe("close", () => {
    test(
      "is nothing for what was never used, and can be asked for again",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.close();
        await carrier.close();
        expect(await scene.carrier().publish([delivery("x")])).toBeUndefined();
      }),
    );

    test(
      "leaves what is published to others",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish(deliveries(10));
        expect(carrier.reachable).toBe(true);
        await carrier.close();
        const taker = scene.taker({ tasks: { a: 10 } });
        await taker.until(10);
      }),
    );
  });
}
