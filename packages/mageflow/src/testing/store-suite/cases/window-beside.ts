import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import type { Transaction, WindowQuery } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { hold } from "../hold.ts";
import { sampleChild, sampleItems, sampleSwarm } from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore, type Scene } from "../scene.ts";

type Other = Partial<SignatureRecord>;

const last = (swarm: SignatureRecord): SignatureRecord =>
  sampleChild(swarm, 9, { status: "SKIPPED", milestone: 3, credited: 3 });

/** What a child is turned into by a transaction that gives no order to its container, while a sweep of that finds it. */
const MOVES: readonly {
  readonly what: Exclude<WindowQuery["what"], "hasten" | "start">;
  readonly from: Other;
  readonly to: Other;
}[] = [
  { what: "skip", from: { status: "PENDING" }, to: { status: "SUSPENDED", prior: "PENDING" } },
  {
    what: "skip",
    from: { status: "SUSPENDED", prior: "PENDING" },
    to: { status: "INTERRUPTED", prior: null, stop: sampleStop({ by: null, done: true }) },
  },
  {
    what: "skip",
    from: { status: "PENDING" },
    to: { status: "INTERRUPTED", stop: sampleStop({ by: null, done: true }) },
  },
  { what: "skip", from: { status: "WAITING", dueAt: 1 }, to: { status: "READY", readyAt: 1 } },
  {
    what: "cancel",
    from: { status: "READY", readyAt: 1 },
    to: { status: "RUNNING", attempt: 1, workerId: "w" },
  },
  {
    what: "cancel",
    from: { status: "RUNNING", attempt: 1, workerId: "w" },
    to: { status: "SUCCEEDED", workerId: null, milestone: 1, credited: 1 },
  },
  {
    what: "interrupt",
    from: { status: "RUNNING", attempt: 1, workerId: "w" },
    to: { status: "WAITING", workerId: null, attempt: 2, dueAt: 1 },
  },
  {
    what: "interrupt",
    from: { status: "WAITING", attempt: 2, dueAt: 1 },
    to: { status: "READY", readyAt: 1 },
  },
  {
    what: "interrupt",
    from: { status: "READY", attempt: 2, readyAt: 1 },
    to: { status: "RUNNING", workerId: "w" },
  },
];

const told = ({ status, attempt }: Other): string =>
  `${status}${attempt === undefined ? "" : ` (${attempt})`}`;

export function windowBesideCases(harness: StoreHarness): void {
  describe("window beside another transaction", () => {
    test.for(MOVES.map((move) => [`${move.what}: ${told(move.from)} to ${told(move.to)}`, move] as const))(
      "a window has what has changed and still belongs to it: %s",
      ([, { what, from, to }], context) =>
        onStore(
          harness,
          async (scene) => {
            const swarm = sampleSwarm(scene.id);
            const item = sampleChild(swarm, 0, from);
            const next = { ...item, ...to };
            await scene.insert(swarm, item, last(swarm));
            const found = await besides(scene, [next], windowOf({ id: swarm.id, what, limit: 9 }));
            expect(found).toEqual([next]);
          },
          "rowLocks",
        )(context),
    );

    test(
      "a window to start is as long as there are children to start",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const [first, second] = sampleItems(swarm, 2);
          await scene.insert(swarm, first!, second!, last(swarm));
          const changed: SignatureRecord = { ...first!, status: "SUSPENDED", prior: "PENDING" };
          const found = await besides(scene, [changed], windowOf({ id: swarm.id, what: "start", limit: 1 }));
          expect(found).toEqual([second]);
        },
        "rowLocks",
      ),
    );

    test(
      "a window of what is held is as long as there is any",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const [first, second] = sampleItems(swarm, 2, { heldBy: swarm.id });
          await scene.insert(swarm, first!, second!, last(swarm));
          const changed: SignatureRecord = {
            ...first!,
            status: "INTERRUPTED",
            heldBy: null,
            stop: sampleStop({ by: null, done: true }),
          };
          const found = await besides(scene, [changed], windowOf({ id: swarm.id, what: "unhold", limit: 1 }));
          expect(found).toEqual([second]);
        },
        "rowLocks",
      ),
    );

    test(
      "as much of what a worker holds is found as there is",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const items = sampleItems(swarm, 3, { status: "RUNNING", attempt: 1, workerId: scene.id });
          await scene.insert(swarm, ...items, last(swarm));
          const ended = { status: "SUCCEEDED", workerId: null, milestone: 3, credited: 3 } as const;
          const changed = items.slice(0, 2).map((item): SignatureRecord => ({ ...item, ...ended }));
          const found = await besides(scene, changed, (tx) => tx.heldByWorker(scene.id, 2));
          expect(found).toEqual([items[2]]);
        },
        "rowLocks",
      ),
    );
  });
}

/** What is found while another transaction, which has come before, changes some of it. */
async function besides<T>(
  scene: Scene,
  changed: readonly SignatureRecord[],
  find: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const held = await hold(scene.store, async (tx) => {
    const ids = changed.map(({ id }) => id);
    await tx.lock(ids, { wait: true });
    await tx.write({ update: changed });
  });
  const finding = Promise.withResolvers<void>();
  const found = scene.ask(async (tx) => {
    await tx.lock([`${scene.id}.9`], { wait: true });
    const answer = find(tx);
    finding.resolve();
    return answer;
  });
  await finding.promise;
  // Time to come to what is locked; who comes later finds what there is by then.
  await sleep(200);
  held.end();
  await held.ended;
  return found;
}

/** The window of who was told of by one of its children, and has given no order. */
function windowOf(query: WindowQuery): (tx: Transaction) => Promise<SignatureRecord[]> {
  return async (tx) => {
    await tx.lock([query.id], { wait: true });
    return tx.window(query);
  };
}
