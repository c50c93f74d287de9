import { expect, test } from "vitest";
import { chain, type MageFlow } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { counts, lostWork, report } from "./lost-work.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("reports of auto-resume", (open, strike) => {
  const { kill, killed, working } = lostWork(open, strike);

  test("a start tells what becomes of every open workflow, once", async () => {
    const before = open();
    const work = before.task("work", () => 1);
    const fails = before.task("fails", () => {
      throw new Error("no");
    });
    const never = before.task("never", () => 1);
    await using worker = await before.worker({ tasks: ["work", "fails"] });
    await (await before.run(work)).settled();
    const failed = await before.run(fails.onError(never));
    await failed.result().catch(() => {});
    const suspended = await before.run(chain([never, work]));
    await suspended.suspend();
    const interrupted = await before.run(never);
    await interrupted.interrupt({ reason: "by hand" });
    const created = await before.create(never);
    const ready = await before.run(never);
    const later = await before.run(never, undefined, { delay: "1h" });
    const lost = await before.run(never);
    await worker.stop();
    await before.close();
    await kill([lost.id]);

    const first = open();
    for (const name of ["work", "never"]) first.task(name, () => 1);
    await first.reconcile();
    const told = await report(first, 6, "start");
    expect(counts(told)).toEqual({ started: 2, kept: 3, skipped: 1 });
    expect((await report(first)).entries).toMatchObject([{ id: lost.id, what: "resumed" }]);
    expect(new Map(told.entries.map(({ id, what }) => [id, what]))).toEqual(
      new Map([
        [later.id, "started"],
        [ready.id, "started"],
        [created.id, "kept"],
        [interrupted.id, "kept"],
        [suspended.id, "kept"],
        [failed.id, "skipped"],
      ]),
    );
    await first.close();

    const second = open();
    second.task("work", () => 1);
    await using again = await second.worker({ tasks: ["work"] });
    const own = await second.run(second.task("work of its own", () => 1));
    await own.suspend();
    const { createdAt } = await own.view();
    // A start tells of what was stored before its millisecond.
    await eventually(async () => (Date.now() > createdAt ? true : null));
    await again.stop();
    await second.close();
    // It tells of what was stored since the first, and no more of that.
    const third = open();
    third.task("work", () => 1);
    await third.reconcile();
    expect((await report(third, 1, "start")).entries).toMatchObject([
      { name: "work of its own", what: "kept" },
    ]);
    expect(await third.resumeReports()).toHaveLength(3);
  });

  test("what several processes report that start at once adds up, and a second start reports nothing", async () => {
    const before = open();
    const work = before.task("work", () => 1);
    const open_: string[] = [];
    for (let n = 0; n < 30; n++) open_.push((await before.create(work)).id);
    await before.close();
    const lost = await killed(30);
    const entries = async (mage: MageFlow): Promise<string[]> => {
      const reports = await mage.resumeReports({ limit: 100 });
      for (const one of reports) counts(one);
      return reports.flatMap((one) => one.entries.map(({ id, what }) => `${id} ${what}`)).toSorted();
    };
    const all = [...open_.map((id) => `${id} kept`), ...lost.map((id) => `${id} resumed`)].toSorted();
    const first = Array.from({ length: 4 }, () => working());
    await Promise.all(first.map((mage) => mage.reconcile()));
    await eventually(async () => ((await entries(first[0]!)).length >= all.length ? true : null));
    const last = working();
    await last.reconcile();
    // A round of each after all was told, and their last words.
    const probes = new Set<string>();
    for (const mage of [...first, last]) {
      const run = await mage.run(work, undefined, { delay: 1 });
      // When it was stored is estimated, so that it may belong to what the last start found.
      probes.add(run.id);
      await eventually(async () => ((await run.view()).status === "READY" ? true : null));
    }
    await Promise.all([...first, last].map((mage) => mage.close()));
    const told = await entries(open());
    expect(told.filter((entry) => !probes.has(entry.split(" ")[0]!))).toEqual(all);
  });

  test("an empty store, and one that nobody left work in, tell nothing", async () => {
    const mage = working();
    await using worker = await mage.worker();
    const task = mage.task("task", () => 1);
    await (await mage.run(task)).settled();
    await worker.stop();
    await mage.close();
    const again = working();
    await (await again.worker()).stop();
    await again.close();
    expect(await open().resumeReports()).toEqual([]);
  });

  test("a bad limit is refused", async () => {
    await expect(open().resumeReports({ limit: 101 })).rejects.toThrow(
      "limit is 101; give a whole number from 1 to 100",
    );
  });
});
