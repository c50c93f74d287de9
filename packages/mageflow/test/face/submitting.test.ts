import { expect, test } from "vitest";
import { z } from "zod";
import { chain, IllegalTransitionError, type Json, swarm, ValidationError } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";
import { refusal } from "./refusal.ts";

onEachStore("a tree of any number of records", (open) => {
  for (const records of [1_999, 2_000, 2_001, 2_002, 4_000, 4_001]) {
    for (const key of [undefined, "k"]) {
      test(`is stored, told of and found: ${records} ${key === undefined ? "without" : "with"} a key`, async () => {
        const mage = open();
        const task = mage.task("task", () => 1);
        const plan = swarm(Array.from({ length: records - 1 }, () => task));
        const run = await mage.run(plan, undefined, key === undefined ? {} : { key });
        expect((await run.counts()).total).toBe(records - 1);
        expect((await mage.list()).items.map(({ id }) => id)).toEqual([run.id]);
        for await (const { type, id } of run.events({ since: 0 })) {
          expect({ type, id }).toEqual({ type: "created", id: run.id });
          break;
        }
        const again = await mage.run(plan, undefined, { key: key ?? "other" });
        expect(again.id === run.id).toBe(key !== undefined);
      });
    }
  }
});

onEachStore("create and start", (open) => {
  test("what is created does not run before it is started, and takes a message then", async () => {
    const mage = open();
    const task = mage.task("task", (input: unknown) => input as Json);
    await mage.worker();
    const run = await mage.create(chain([task]).with({ a: 1 }));
    expect((await run.status()).status).toBe("PENDING");
    await run.start({ b: 2 });
    expect(await run.result()).toEqual({ a: 1, b: 2 });
  });

  test("starting again is a no-op, and what is inside cannot be started", async () => {
    const mage = open();
    let ran = 0;
    const task = mage.task("task", () => ran++);
    const run = await mage.create(chain([task, task]));
    expect(await refusal(async () => (await mage.get(`${run.id}.1`)).start())).toBeInstanceOf(
      IllegalTransitionError,
    );
    await mage.worker();
    await Promise.all([run.start(), run.start(), run.start()]);
    await run.settled();
    await run.start();
    expect(ran).toBe(2);
  });
});

onEachStore("an input that is completed when it is started", (open) => {
  const schema = z.object({ n: z.int(), m: z.int() });

  test("is open until then, and checked then", async () => {
    const mage = open();
    const task = mage.task("task", { input: schema }, ({ n, m }) => n + m);
    await mage.worker();
    const partly = task.with({ n: 1 });
    const plans = [
      partly,
      chain([partly, mage.task("after", () => 1)]),
      swarm([chain([swarm([partly])]), partly]),
    ];
    for (const plan of plans) {
      const run = await mage.create(plan);
      const wrong = await refusal(() => run.start({ m: "text" }));
      expect(wrong).toBeInstanceOf(ValidationError);
      expect((wrong as ValidationError).issues.map(({ path }) => path)).toEqual(["$.m"]);
      expect(await refusal(() => run.start())).toBeInstanceOf(ValidationError);
      expect((await run.status()).status).toBe("PENDING");
      await run.start({ m: 2 });
      await run.start({ m: "again, which is nothing" });
      expect((await run.settled()).status).toBe("SUCCEEDED");
    }
  });

  test("is checked for every item, also those that were added", async () => {
    const mage = open();
    const task = mage.task("task", { input: schema }, ({ n, m }) => n + m);
    const run = await mage.create(
      swarm(
        Array.from({ length: 1_200 }, () => task.with({ n: 1 })),
        { open: true },
      ),
    );
    await run.addTasks([task.with({ n: "text" as never })]);
    expect(await refusal(() => run.start({ m: 1 }))).toMatchObject({ issues: [{ path: "$.n" }] });
    expect(await refusal(() => run.addTasksAndRun([]))).toBeInstanceOf(ValidationError);
    expect((await run.status()).status).toBe("PENDING");
  });
});

onEachStore("one plan in several places", (open) => {
  test("is a value: callbacks and inputs of one use are not those of another", async () => {
    const mage = open();
    const seen: Json[] = [];
    const task = mage.task("task", ({ n }: { n: number }) => n);
    const note = mage.task("note", ({ result }: { result: number }) => void seen.push(result));
    const noted = task.onSuccess(note);
    await mage.worker();
    const both = swarm([noted.with({ n: 1 }), task.with({ n: 2 }), noted.with({ n: 3 })]);
    const run = await mage.run(chain([both, noted.with({ n: 4 })]).onSuccess(note));
    await run.settled();
    expect(seen.map(String).toSorted()).toEqual(["1", "3", "4", "4"]);
  });

  test("is a step as often as one likes, also when it has a key", async () => {
    const mage = open();
    const task = mage.task("task", () => 1).keyed("k");
    await mage.worker();
    const run = await mage.run(chain([task, task, swarm([task])]));
    expect(await run.result()).toMatchObject({ succeeded: 1, results: [{ key: "k" }] });
  });

  test("can be stored twice", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const plan = swarm([task, chain([task])]);
    await mage.worker();
    const [one, two] = [await mage.run(plan), await mage.run(plan)];
    expect(one.id).not.toBe(two.id);
    expect(await one.result()).toMatchObject({ succeeded: 2 });
    expect(await two.result()).toMatchObject({ succeeded: 2 });
  });
});

onEachStore("a task that nobody has registered", (open) => {
  test("waits for a worker that has", async () => {
    const mage = open();
    const other = open();
    const run = await mage.run(mage.task("elsewhere", () => "here"));
    other.task("something else", () => 1);
    await other.worker();
    expect((await other.unhandled()).get("elsewhere")).toBe(1);
    expect((await run.status()).status).toBe("READY");
    const third = open();
    third.task("elsewhere", () => "there");
    await third.worker();
    expect(await run.result()).toBe("there");
  });
});
