import { describe, expect, test } from "vitest";
import type { EngineHarness } from "../harness.ts";
import { carried } from "../scene.ts";
import { deliveries, delivery } from "../taker.ts";

export function revokeCases(harness: EngineHarness): void {
  describe("revoke", () => {
    test(
      "takes back what was not brought, and nothing else",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.publish(["x", "y", "z"].map((id) => delivery(id)));
          await carrier.revoke([delivery("x"), delivery("z")]);
          await carrier.publish([delivery("last")]);
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(2);
          expect(taker.ids).toEqual(["y", "last"]);
        },
        "revokes",
      ),
    );

    test(
      "can be done by another process than published",
      carried(
        harness,
        async (scene) => {
          await scene.carrier().publish([delivery("x"), delivery("y")]);
          await scene.carrier().revoke([delivery("x")]);
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(1);
          expect(taker.ids).toEqual(["y"]);
        },
        "revokes",
      ),
    );

    test(
      "is about one epoch of one generation",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          const all = [delivery("x"), delivery("x", { epoch: 1 }), delivery("x", { generation: 2 })];
          await carrier.publish(all);
          await carrier.revoke([all[0]!]);
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(2);
          expect(taker.taken.map(({ generation, epoch }) => [generation, epoch])).toEqual([
            [1, 1],
            [2, 0],
          ]);
        },
        "revokes",
      ),
    );

    test(
      "takes back what waits for its time",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await carrier.publish([delivery("x", { delay: 200 }), delivery("last", { delay: 500 })]);
          await carrier.revoke([delivery("x")]);
          await taker.until(1);
          expect(taker.ids).toEqual(["last"]);
        },
        "revokes",
      ),
    );

    test(
      "leaves alone what was brought",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1 });
          await carrier.publish([delivery("x"), delivery("y")]);
          await taker.until(1);
          await carrier.revoke([delivery("x")]);
          expect(taker.held).toBe(1);
          taker.answer();
          await taker.until(2);
          expect(taker.ids).toEqual(["x", "y"]);
        },
        "revokes",
      ),
    );

    test(
      "of what is not known is nothing",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.revoke([delivery("x"), delivery("y", { name: "never heard of" })]);
          await carrier.revoke([]);
          expect(carrier.reachable).toBe(true);
        },
        "revokes",
      ),
    );

    test(
      "what was revoked can be published again",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.publish([delivery("x")]);
          await carrier.revoke([delivery("x")]);
          await carrier.publish([delivery("x")]);
          const taker = scene.taker({ tasks: { a: 10 } });
          await taker.until(1);
          expect(taker.ids).toEqual(["x"]);
        },
        "revokes",
      ),
    );

    test(
      "takes back 1,500 at once",
      carried(
        harness,
        async (scene) => {
          const carrier = scene.carrier();
          await carrier.publish(deliveries(1_500));
          await carrier.revoke(deliveries(1_500));
          await carrier.publish([delivery("last")]);
          const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
          await taker.until(1);
          expect(taker.ids).toEqual(["last"]);
        },
        "revokes",
      ),
    );
  });
}
