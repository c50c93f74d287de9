import { describe, expect, test } from "vitest";
import type { EngineHarness } from "../harness.ts";
import { carried } from "../scene.ts";
import { deliveries, delivery, Taker } from "../taker.ts";

const HOSTILE_IDS = [
  "01jd.2.17",
  "a:b",
  "0",
  "12345",
  "é ü",
  "*?[x]",
  "{tag}",
  "'; DROP",
  "a/b\\c",
  "%3A",
  "🦊".repeat(20),
];

export function publishCases(harness: EngineHarness): void {
  describe("publish", () => {
    test(
      "brings what is published, whole",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish([delivery("x.1", { generation: 3, epoch: 7 })]);
        await taker.until(1);
        expect(taker.taken[0]).toMatchObject({ id: "x.1", generation: 3, epoch: 7, name: "a" });
      }),
    );

    test(
      "keeps what is published until somebody takes it",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish([delivery("x")]);
        await carrier.close();
        const taker = scene.taker({ tasks: { a: 10 } });
        await taker.until(1);
        expect(taker.ids).toEqual(["x"]);
      }),
    );

    test(
      "serves the process that publishes",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = new Taker(carrier, { tasks: { a: 1 }, answers: "ended" });
        await carrier.publish([delivery("x")]);
        await taker.until(1);
        expect(taker.ids).toEqual(["x"]);
        await taker.consumption.stop();
      }),
    );

    test(
      "takes nothing for nothing",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish([]);
        await carrier.publish([delivery("x")]);
        const taker = scene.taker({ tasks: { a: 10 } });
        await taker.until(1);
        expect(taker.ids).toEqual(["x"]);
      }),
    );

    test(
      "brings 2,000 that are published together, each once",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 100 }, answers: "ended" });
        await scene.carrier().publish(deliveries(2_000));
        await taker.until(2_000);
        expect(new Set(taker.ids).size).toBe(2_000);
      }),
    );

    test(
      "brings those of one task in the order in which they were published",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish(deliveries(50));
        await carrier.publish([delivery("last")]);
        const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
        await taker.until(51);
        expect(taker.ids).toEqual([...deliveries(50).map(({ id }) => id), "last"]);
      }),
    );

    test(
      "brings those of several tasks that are published together",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10, b: 10, c: 10 } });
        await scene.carrier().publish(["a", "b", "c"].map((name) => delivery(`of ${name}`, { name })));
        await taker.until(3);
        expect(taker.taken.map(({ id, name }) => `${id} ${name}`).sort()).toEqual([
          "of a a",
          "of b b",
          "of c c",
        ]);
      }),
    );

    test(
      "what is published twice before it is taken is brought once",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        await carrier.publish([delivery("x"), delivery("x")]);
        await scene.carrier().publish([delivery("x")]);
        await carrier.publish([delivery("last")]);
        const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1, answers: "ended" });
        await taker.until(2);
        expect(taker.ids).toEqual(["x", "last"]);
      }),
    );

    test(
      "what is published again while it is held is not brought a second time",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = scene.taker({ tasks: { a: 10 } });
        await carrier.publish([delivery("x")]);
        await taker.until(1);
        await carrier.publish([delivery("x"), delivery("last")]);
        await taker.until(2);
        expect(taker.ids).toEqual(["x", "last"]);
      }),
    );

    test(
      "what was answered is brought again when it is published again",
      carried(harness, async (scene) => {
        const carrier = scene.carrier();
        const taker = scene.taker({ tasks: { a: 1 }, concurrency: 1 });
        await carrier.publish([delivery("x"), delivery("y")]);
        await taker.until(1);
        taker.answer("stale");
        // The next one comes when the engine has heard of the answer.
        await taker.until(2);
        await carrier.publish([delivery("x")]);
        taker.answer();
        await taker.until(3);
        expect(taker.ids).toEqual(["x", "y", "x"]);
      }),
    );

    test.for(["epoch", "generation"] as const)(
      "another %s of a task is another delivery",
      async (what, context) =>
        carried(harness, async (scene) => {
          const taker = scene.taker({ tasks: { a: 10 } });
          await scene.carrier().publish([1, 2, 11].map((n) => delivery("x", { [what]: n })));
          await taker.until(3);
          expect(taker.taken.map((one) => one[what]).sort((a, b) => a - b)).toEqual([1, 2, 11]);
        })(context),
    );

    test.for(HOSTILE_IDS)("an id comes back as it is: %s", async (id, context) =>
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10 } });
        await scene.carrier().publish([delivery(id)]);
        await taker.until(1);
        expect(taker.ids).toEqual([id]);
      })(context),
    );

    test.for(["a:b", "x y", "ünï", "*", "{t}", "../..", "a.b", "A"])(
      "a task may be called %s",
      async (name, context) =>
        carried(harness, async (scene) => {
          const taker = scene.taker({ tasks: { [name]: 10, "another one": 1 } });
          await scene.carrier().publish([delivery("x", { name })]);
          await taker.until(1);
          expect(taker.taken[0]).toMatchObject({ id: "x", name });
        })(context),
    );

    test(
      "ids and names that differ in case are different",
      carried(harness, async (scene) => {
        const taker = scene.taker({ tasks: { a: 10, A: 10 } });
        const all = ["x", "X"].flatMap((id) => ["a", "A"].map((name) => delivery(id, { name })));
        await scene.carrier().publish(all);
        await taker.until(4);
        expect(taker.taken.map(({ id, name }) => `${id}${name}`).sort()).toEqual(["XA", "Xa", "xA", "xa"]);
      }),
    );
  });
}
