import { expect, test } from "vitest";
import { chain, GoneError, LockedError, type MageFlow, type Run, swarm } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const locked = expect.objectContaining({ code: "LOCKED" });

/** Every verb that reaches what is inside a signature. */
function verbs(mage: MageFlow, run: Run): (() => Promise<unknown>)[] {
  return [
    () => run.suspend(),
    () => run.resume(),
    () => run.interrupt(),
    () => run.delete({ after: 1 }),
    () => run.restore(),
    () => run.extend({ after: 1 }),
    () => run.purgeNow(),
    () => run.rerun(),
    () => run.lock(),
    () => mage.batch((edits) => edits.set(run, { priority: 1 })),
  ];
}

/** Why it is not there, as soon as it is not. */
async function gone(mage: MageFlow, id: string): Promise<unknown> {
  return eventually(() =>
    mage.get(id).then(
      () => null,
      (error: unknown) => error,
    ),
  );
}

onEachStore("lock", (open) => {
  test("keeps others from every verb and from starting it, until it is released", async () => {
    const mage = open();
    const other = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(task);
    const theirs = await other.get(run.id);
    const free = await mage.create(task);
    const cancelling = await theirs.planCancel();
    const both = await other.planCancel({ status: "PENDING" });
    const lock = await run.lock({ for: "1m" });
    const before = await run.view();
    for (const verb of [
      () => theirs.start(),
      () => theirs.suspend(),
      () => theirs.resume(),
      () => theirs.interrupt(),
      () => cancelling.confirm(),
      () => both.confirm(),
      () => other.confirmCancel(cancelling.token),
      () => theirs.delete({ after: 1 }),
      () => theirs.restore(),
      () => theirs.extend({ after: 1 }),
      () => theirs.purgeNow(),
      () => theirs.rerun(),
      () => theirs.lock(),
      () => theirs.addTasks([task]),
      () => theirs.close(),
      () => other.batch((edits) => edits.set(theirs, { priority: 1 })),
      () => mage.batch((edits) => edits.set({ id: run.id }, { priority: 1 })),
    ]) {
      await expect(verb()).rejects.toThrow(locked);
    }
    expect(await run.view()).toEqual(before);
    // All that was planned together, or none of it.
    expect(await free.status()).toMatchObject({ status: "PENDING" });
    expect(await mage.audit.list()).toEqual([]);
    await mage.batch((edits) => edits.set(run, { priority: 7 }));
    expect((await run.view()).priority).toBe(7);
    await using worker = await mage.worker();
    await run.start();
    await run.suspend();
    await run.resume();
    expect((await run.view()).startedAt).toBeNull();
    await lock.release();
    expect(await theirs.result()).toBe(1);
    await worker.stop();
  });

  test("keeps what is due from being removed, until it ends", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const lock = await run.lock({ for: "1h" });
    await run.delete({ after: 1 });
    // A round that comes after it is due has put it off.
    await eventually(async () => ((await run.status()).deletion!.purgeAt === lock.until ? true : null));
    expect(await run.view()).toMatchObject({ status: "MARKED_FOR_DELETION" });
    await lock.release();
    expect(await gone(mage, run.id)).toBeInstanceOf(GoneError);
  });

  test("puts off what its holder has cancelled, until it is given back", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const lock = await run.lock({ for: "1h" });
    await (await run.planCancel()).confirm();
    await lock.release();
    expect(await gone(mage, run.id)).toBeInstanceOf(GoneError);
  });

  test("makes a start wait, for its new end when its holder locks again", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    await using worker = await mage.worker();
    await run.lock({ for: "1h" });
    await run.start();
    await run.lock({ for: "30m" });
    await run.lock({ for: 1 });
    expect(await run.result()).toBe(1);
    await worker.stop();
  });

  test("expires", async () => {
    const mage = open();
    const run = await mage.run(mage.task("task", () => 1));
    await run.lock({ for: 1 });
    const theirs = await open().get(run.id);
    await eventually(() =>
      theirs.suspend().then(
        () => true,
        () => null,
      ),
    );
    expect(await run.status()).toMatchObject({ status: "SUSPENDED" });
  });

  test("lets what runs end", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const task = mage.task("task", async () => {
      started.open();
      await finish.opened;
      return 1;
    });
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await started.opened;
    await using lock = await run.lock();
    finish.open();
    expect(await run.result()).toBe(1);
    await expect((await open().get(run.id)).delete({ after: 1 })).rejects.toThrow(locked);
    await lock.release();
    await worker.stop();
  });
});

onEachStore("a lock on a tree", (open) => {
  test("keeps others from what is inside it, while work goes on", async () => {
    const mage = open();
    const other = open();
    const first = gate();
    const second = gate();
    const slow = mage.task("slow", async () => {
      first.open();
      await second.opened;
      return 1;
    });
    const quick = mage.task("quick", () => 2);
    await using worker = await mage.worker();
    const run = await mage.run(chain([swarm([slow], { open: true }), chain([quick]).onSuccess(quick)]));
    await first.opened;
    await using lock = await run.lock();
    for (const id of ["0", "0.0", "1", "1.0"]) {
      const part = await other.get(`${run.id}.${id}`);
      for (const verb of verbs(other, part)) await expect(verb()).rejects.toThrow(locked);
      expect((await part.status()).locks).toEqual([
        { id: run.id, by: expect.any(String), until: lock.until },
      ]);
    }
    const swarmOfTheirs = await other.get(`${run.id}.0`);
    await expect(swarmOfTheirs.addTasks([quick])).rejects.toThrow(locked);
    await expect(swarmOfTheirs.close()).rejects.toThrow(`"${run.id}" is locked`);
    second.open();
    await (await mage.get(`${run.id}.0`, { lock: lock.token })).close();
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED", result: 2 });
    await lock.release();
    await (await other.get(run.id)).rerun();
    await worker.stop();
  });

  test("on a part keeps others from that part and from what it stands in, and not from what stands beside it", async () => {
    const mage = open();
    const other = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm([chain([task, task]), task], { open: true }));
    const part = await mage.get(`${run.id}.0`);
    const theirs = await other.get(run.id);
    const cancelling = await theirs.planCancel();
    const lock = await part.lock();
    for (const id of ["", ".0", ".0.1"]) {
      const each = await other.get(`${run.id}${id}`);
      for (const verb of verbs(other, each)) await expect(verb()).rejects.toThrow(locked);
      await expect(each.suspend()).rejects.toThrow(`"${part.id}" is locked`);
      expect((await each.status()).locks).toMatchObject([{ id: part.id }]);
    }
    await expect(cancelling.confirm()).rejects.toThrow(locked);
    expect(await mage.audit.list()).toEqual([]);
    const beside = await other.get(`${run.id}.1`);
    await beside.suspend();
    await beside.resume();
    expect((await beside.status()).locks).toEqual([]);
    await theirs.addTasks([task]);
    await theirs.close();
    await theirs.start();
    expect(await part.status()).toMatchObject({ status: "WAITING" });
    await lock.release();
    await theirs.suspend();
    expect(await theirs.status()).toMatchObject({ status: "SUSPENDED", locks: [] });
  });

  test("is refused while somebody else holds something around it or inside it", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(chain([chain([task]), task]));
    const [whole, middle, leaf, last] = await Promise.all(
      ["", ".0", ".0.0", ".1"].map((id) => open().get(`${run.id}${id}`)),
    );
    const held = await middle!.lock();
    await expect(whole!.lock()).rejects.toThrow(locked);
    await expect(leaf!.lock()).rejects.toThrow(locked);
    await last!.lock();
    // Who has the token holds it, and may hold what is around it too.
    const same = await open().get(leaf!.id, { lock: held.token });
    await same.lock();
    await held.release();
    expect((await whole!.status()).locks.map(({ id }) => id).sort()).toEqual([leaf!.id, last!.id]);
  });

  test("on a part puts off the removal of the whole, until it is given back", async () => {
    const mage = open();
    const run = await mage.create(chain([mage.task("task", () => 1)]));
    await run.delete({ after: "1h" });
    const lock = await (await mage.get(`${run.id}.0`)).lock({ for: "2h" });
    const holder = await mage.get(run.id, { lock: lock.token });
    await holder.extend({ after: 1 });
    await eventually(async () => ((await run.status()).deletion!.purgeAt === lock.until ? true : null));
    await lock.release();
    const gone = await eventually(() =>
      mage.get(run.id).then(
        () => null,
        (error: unknown) => error,
      ),
    );
    expect(gone).toBeInstanceOf(GoneError);
  });

  test("expires, also where it is noted", async () => {
    const mage = open();
    const run = await mage.create(chain([mage.task("task", () => 1)]));
    await (await mage.get(`${run.id}.0`)).lock({ for: 1 });
    const theirs = await open().get(run.id);
    await eventually(() =>
      theirs.suspend().then(
        () => true,
        (error: unknown) => (error instanceof LockedError ? null : Promise.reject(error as Error)),
      ),
    );
    expect(await theirs.status()).toMatchObject({ status: "SUSPENDED", locks: [] });
  });

  test("is one of at most 100 inside one signature", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm(Array.from({ length: 101 }, () => task)));
    const parts = await Promise.all(Array.from({ length: 101 }, (_, i) => mage.get(`${run.id}.${i}`)));
    const locks = await Promise.all(parts.slice(1).map((part) => part.lock({ for: "1m" })));
    await expect(parts[0]!.lock()).rejects.toThrow(locked);
    expect((await parts[0]!.view()).lock).toBeNull();
    await parts[1]!.lock({ for: "2m" });
    await locks[7]!.release();
    await parts[0]!.lock();
  });

  test("is given back by its handle, and taken away by force, which the audit trail tells", async () => {
    const mage = open({ actor: "she" });
    const other = open({ actor: "he" });
    const run = await mage.create(chain([mage.task("task", () => 1)]));
    const part = await mage.get(`${run.id}.0`);
    await part.lock();
    await part.unlock();
    await part.unlock();
    expect(await mage.audit.list()).toEqual([]);
    await part.lock();
    const theirs = await other.get(part.id);
    await expect(theirs.unlock()).rejects.toThrow(locked);
    await theirs.unlock({ force: true, reason: "she is gone" });
    await (await other.get(run.id)).suspend();
    expect(await mage.audit.list()).toMatchObject([
      { actor: "he", action: "unlock", target: part.id, reason: "she is gone", details: { by: "she" } },
      { action: "suspend" },
    ]);
  });
});
