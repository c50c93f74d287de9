/**
 * What can be done to a workflow while it lives and afterwards, one verb after the other, each with its effect: interrupt and resume
 * from a checkpoint, suspend, cancel, delete, restore, rerun, retention, cleanup, lock, batch.
 *
 * In a checkout, after `npm run setup`:
 *
 *     npx node --conditions=@mageflow/source examples/lifecycle.ts
 */
import { setTimeout as sleep } from "node:timers/promises";
import { chain, type EventType, GoneError, MageFlow, MageFlowError, type Run, swarm } from "mageflow";
import { z } from "zod";

await using mage = new MageFlow({ actor: "ada" });

/** Copies page by page and saves how far it is. In its first generation it gets stuck at the page `stuck`, until it is told to stop. */
const copy = mage.task(
  "copy",
  { input: z.object({ pages: z.int(), stuck: z.int() }) },
  async ({ pages, stuck }, ctx) => {
    const from = z.int().nullable().parse(ctx.checkpointed) ?? 0;
    console.log(`generation ${ctx.generation} begins at page ${from}`);
    for (let page = from; page < pages; page++) {
      await ctx.progress(page / pages);
      if (page === stuck && ctx.generation === 1) await sleep(60_000, undefined, { signal: ctx.signal });
      await ctx.checkpoint(page + 1);
    }
    return `${pages} pages`;
  },
);

const work = mage.task("work", { input: z.object({ fails: z.boolean().default(false) }) }, ({ fails }) => {
  if (fails) throw new Error("as it was told");
  return "done";
});

const cleanUp = mage.task("clean up", (_input: unknown, { cause }) =>
  console.log(`cleaned up after ${cause!.name}`),
);

async function interruptAndResume(): Promise<void> {
  const run = await mage.run(copy.onCleanup(cleanUp), { pages: 5, stuck: 3 });
  await sees(run, "progress", 4);
  await run.interrupt({ reason: "the disk is being moved", grace: "2s" });
  await run.settled();
  const { status, interrupted } = await run.view();
  console.log(`${status}: ${interrupted?.reason}`);
  const { clean } = await run.resume();
  const { result } = await run.settled();
  console.log(`${result} copied; it had stopped ${clean ? "clean" : "with something left behind"}`);
}

async function suspendAndResume(): Promise<void> {
  const run = await mage.create(swarm([work, work, work]));
  await run.suspend();
  await run.start();
  const { status, counts } = await run.status();
  console.log(`${status}: ${counts.succeeded} of ${counts.total} have run`);
  await run.resume();
  console.log(`resumed: ${(await run.result()).succeeded} of ${counts.total} have run`);
}

async function cancelWithConfirmation(): Promise<void> {
  const run = await mage.run(chain([copy, work], { name: "import" }).onCleanup(cleanUp), {
    pages: 5,
    stuck: 0,
  });
  await sees(run, "progress", 1);
  const cancel = await run.planCancel();
  const { descendants, running } = cancel.impact;
  console.log(
    `it would remove ${descendants + 1} signatures, ${running} running; still ${(await run.status()).status}`,
  );
  await cancel.confirm({ reason: "the wrong disk" });
  const gone = await removed(run);
  console.log(`${gone.action} by ${gone.by}: ${gone.reason}`);
  const rows = await mage.audit.list();
  const { action, actor, reason } = rows.findLast(({ target }) => target === run.id)!;
  const { ok } = await mage.audit.verify();
  console.log(`audited: ${action} by ${actor}: ${reason}; the trail is ${ok ? "sound" : "broken"}`);
}

async function deleteRestoreRerun(): Promise<void> {
  const run = await mage.run(work, { fails: true });
  await run.settled();
  await run.delete({ after: "7d", reason: "no longer needed" });
  await run.extend({ after: "30d" });
  const { status, execution, deletion } = await run.status();
  const days = Math.round((deletion!.purgeAt - Date.now()) / 86_400_000);
  console.log(`${status} in ${days} days; its execution is ${execution}`);
  await run.restore();
  console.log(`restored: ${(await run.status()).status}`);
  await run.delete({ after: "7d" });
  await run.rerun({ fails: false });
  console.log(`run again: ${await run.result()}, in generation ${(await run.view()).generation}`);
  await run.settled();
  await run.purgeNow({ reason: "enough of it" });
  console.log(`purged: ${(await removed(run)).reason}`);
}

async function retention(): Promise<void> {
  const kept = { retain: { succeeded: "50ms", failed: "7d" } } as const;
  const [good, bad] = [
    await mage.run(chain([work], kept), {}),
    await mage.run(chain([work], kept), { fails: true }),
  ];
  await bad.settled();
  console.log(`what succeeded is removed by ${(await removed(good)).by}`);
  const { execution, deletion } = await bad.status();
  console.log(`what ${execution} is kept for ${(deletion!.purgeAt - deletion!.markedAt) / 86_400_000} days`);
}

async function cleanupOnEveryOutcome(): Promise<void> {
  const cleaned = work.onCleanup(cleanUp);
  for (const fails of [false, true]) {
    const run = await mage.run(cleaned, { fails });
    console.log((await run.settled()).status);
  }
  const interrupted = await mage.create(cleaned);
  await interrupted.interrupt();
  console.log((await interrupted.settled()).status);
  const cancelled = await mage.create(cleaned);
  await (await cancelled.planCancel()).confirm();
  console.log((await cancelled.settled()).status);
}

async function lock(): Promise<void> {
  const run = await mage.create(work.with({}));
  {
    await using held = await run.lock({ for: "30s" });
    const theirs = await mage.get(run.id);
    const refused: unknown = await theirs.suspend().catch((error: unknown) => error);
    console.log(`others: ${refused instanceof MageFlowError ? refused.code : "not refused"}`);
    await run.start();
    console.log(`started, and ${(await run.status()).status} until it is released`);
    await held.release();
  }
  console.log(`released: ${await run.result()}`);
}

async function batch(): Promise<void> {
  const runs = await Promise.all([1, 2, 3].map(() => mage.create(work, { tags: ["draft"] })));
  await mage.batch((edits) => {
    for (const run of runs) edits.set(run, { with: { fails: false }, priority: 5, tags: ["approved"] });
  });
  const { items } = await mage.list({ tag: "approved" });
  console.log(
    `${items.length} approved in one transaction, ${(await mage.list({ tag: "draft" })).items.length} drafts left`,
  );
}

/** Waits for the `count`th event of a type. */
async function sees(run: Run, type: EventType, count: number): Promise<void> {
  let seen = 0;
  for await (const event of run.events({ since: 0 })) if (event.type === type && ++seen === count) return;
}

/** Waits until it is gone, and tells what its tombstone says. */
async function removed(run: Run): Promise<GoneError> {
  for (;;) {
    const error: unknown = await run.view().catch((thrown: unknown) => thrown);
    if (error instanceof GoneError) return error;
    await sleep(20);
  }
}

await mage.worker();
for (const [title, show] of [
  ["interrupt, and resume from the checkpoint", interruptAndResume],
  ["suspend and resume", suspendAndResume],
  ["cancel, with confirmation and audit", cancelWithConfirmation],
  ["delete, extend, restore, rerun, purge", deleteRestoreRerun],
  ["retention by outcome", retention],
  ["cleanup on every outcome", cleanupOnEveryOutcome],
  ["lock", lock],
  ["edits in one transaction", batch],
] as const) {
  console.log(`\n# ${title}`);
  await show();
}
