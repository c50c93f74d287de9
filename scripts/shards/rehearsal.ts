import { join } from "node:path";
import { isEnded } from "../../packages/mageflow/src/core/status.ts";
import type { Store } from "../../packages/mageflow/src/ports/store.ts";
import { autoResume } from "../../packages/mageflow/src/runtime/auto-resume.ts";
import type { Handler } from "../../packages/mageflow/src/runtime/handler.ts";
import { sqliteStore } from "../../packages/mageflow/src/stores/sqlite/index.ts";
import { defineTask } from "../../packages/mageflow/src/task-definition.ts";
import { chain, swarm } from "mageflow";
import { shardOf } from "./placement.ts";
import { newestFirst, type Page, Sharded } from "./sharded.ts";

/** What real workflows over real stores came to. */
export interface Rehearsal {
  readonly workflows: number;
  readonly tasks: number;
  readonly perShard: readonly number[];
  /** Tasks that did not run exactly once. */
  readonly wrongRuns: number;
  /** Workflows that did not succeed. */
  readonly lost: number;
  /** Keys that were used again and gave another workflow, before and after a shard was added. */
  readonly forgottenKeys: number;
  readonly shardsAskedByAList: number;
  /** All of them, each once, the newest first. */
  readonly listIsWhole: boolean;
  readonly whileOneWasGone: {
    readonly accepted: number;
    readonly refused: number;
    readonly listToldOfIt: boolean;
    /** Workflows that were there and had not ended when it went, and those of them that ended when it had come back. */
    readonly open: number;
    readonly wentOn: number;
  };
}

const SHARDS = 3;

/** Workflows run on three SQLite files, of which one is gone for a while, and then on four. */
export async function rehearse(folder: string, workflows: number): Promise<Rehearsal> {
  const runs = new Map<string, number>();
  const handlers = new Map<string, Handler>();
  const { plan: work, handler } = defineTask(
    "work",
    {},
    (input) => void count(runs, (input as { id: string }).id),
    autoResume(),
  );
  handlers.set("work", handler);
  const planOf = (n: number) => {
    const task = (part: number) => work.with({ id: `${n}.${part}` });
    return n % 3 === 0
      ? chain([task(0), task(1)])
      : swarm(Array.from({ length: 1 + (n % 7) }, (_, part) => task(part)));
  };
  const tasksOf = (n: number): number => (n % 3 === 0 ? 2 : 1 + (n % 7));
  const storeOf = (shard: number) => sqliteStore(join(folder, `shard-${shard}.db`));
  const flow = new Sharded(handlers, 10);
  await flow.grow(Array.from({ length: SHARDS }, (_, shard) => storeOf(shard)));
  const ids = new Map<number, string>();
  const submit = async (n: number): Promise<void> => void ids.set(n, await flow.run(planOf(n), `order ${n}`));

  const third = Math.floor(workflows / 3);
  await Promise.all(Array.from({ length: third }, (_, n) => submit(n)));
  await flow.lose(0);
  let refused = 0;
  const late: number[] = [];
  await each(third, 2 * third, (n) =>
    submit(n).catch(() => {
      refused++;
      late.push(n);
    }),
  );
  const partial = await flow.list(null, 10);
  const there = [...ids.values()].filter((id) => shardOf(id) === 0);
  const open = await openIn(storeOf(0), there);
  await flow.restore(0, storeOf(0));
  const outcomes = await Promise.all(open.map((id) => flow.get(id).settled({ timeout: "30s" })));
  for (const n of late) await submit(n);

  await flow.grow([storeOf(SHARDS)]);
  await each(2 * third, workflows, submit);
  let forgottenKeys = 0;
  for (const [n, id] of ids) if ((await flow.run(planOf(n), `order ${n}`)) !== id) forgottenKeys++;

  let lost = 0;
  for (const id of ids.values())
    if ((await flow.get(id).settled({ timeout: "30s" })).status !== "SUCCEEDED") lost++;
  const listed: Page["items"][number][] = [];
  let page = await flow.list(null, 20);
  for (;;) {
    listed.push(...page.items);
    if (page.next === null) break;
    page = await flow.list(page.next, 20);
  }
  await flow.close();
  const perShard = Array.from({ length: SHARDS + 1 }, () => 0);
  for (const id of ids.values()) perShard[shardOf(id)]!++;
  let [tasks, wrongRuns] = [0, 0];
  for (const n of ids.keys()) {
    for (let part = 0; part < tasksOf(n); part++) {
      tasks++;
      if (runs.get(`${n}.${part}`) !== 1) wrongRuns++;
    }
  }
  return {
    workflows: ids.size,
    tasks,
    perShard,
    wrongRuns,
    lost,
    forgottenKeys,
    shardsAskedByAList: page.shardsAsked,
    listIsWhole:
      new Set(listed.map(({ id }) => id)).size === ids.size &&
      listed.every((item, n) => n === 0 || newestFirst(listed[n - 1]!, item) < 0),
    whileOneWasGone: {
      accepted: third - refused,
      refused,
      listToldOfIt: partial.missing.join() === "0",
      open: open.length,
      wentOn: outcomes.filter(({ status }) => status === "SUCCEEDED").length,
    },
  };
}

async function openIn(store: Store, ids: readonly string[]): Promise<string[]> {
  await store.open();
  const records = await store.get(ids);
  await store.close();
  return records.filter(({ status }) => !isEnded(status)).map(({ id }) => id);
}

async function each(from: number, to: number, does: (n: number) => Promise<void>): Promise<void> {
  for (let n = from; n < to; n++) await does(n);
}

function count(runs: Map<string, number>, id: string): null {
  runs.set(id, (runs.get(id) ?? 0) + 1);
  return null;
}
