import type { Orders } from "./orders.ts";
import type { AnyPlanValue, PlanMaker } from "./plan-maker.ts";
import type { World } from "./world.ts";

/** One of the workflows that are crashed at each of their boundaries. */
export interface Workflow {
  readonly name: string;
  plan(make: PlanMaker): AnyPlanValue;
  /** What users do to it, by virtual time (ms). The root is the first signature that is stored. */
  readonly controls?: readonly { readonly at: number; readonly give: (control: Control) => void }[];
}

interface Control {
  readonly world: World;
  readonly orders: Orders;
  readonly make: PlanMaker;
  readonly process: World["processes"][number];
  readonly rootId: string;
}

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

export const WORKFLOWS: readonly Workflow[] = [
  {
    name: "a task with retries and every callback",
    plan: (make) =>
      make
        .task({ takes: 50, fails: 2, log: true, defer: true }, { attempts: 3, wait: 300 })
        .onSuccess(make.task())
        .onError(make.task())
        .onCleanup(make.task({ fails: 1 }, { attempts: 2, wait: 100 }))
        .onCleanup(make.task()),
  },
  {
    name: "a chain that hands results on",
    plan: (make) =>
      make
        .chain(times(4, () => make.task({ takes: 20 }).with({ own: 1 })))
        .with({ shared: true } as never)
        .onSuccess(make.task()),
  },
  {
    name: "a swarm with callbacks per item",
    plan: (make) =>
      make
        .swarm(
          times(6, (i) => make.task({ takes: 30 * i, fails: i === 4 ? 9 : 0 })),
          {
            concurrency: 2,
            onItemSuccess: make.task(),
            onItemError: make.task(),
            onItemCleanup: make.task(),
          },
        )
        .onSuccess(make.task()),
  },
  {
    name: "a chain of swarms of chains",
    plan: (make) =>
      make.chain([
        make.task(),
        make.swarm(
          times(3, () => make.chain([make.task({ takes: 10 }), make.task()]).onCleanup(make.task() as never)),
        ),
        make.task(),
      ]),
  },
  {
    name: "a swarm past its limit of failures",
    plan: (make) =>
      make
        .swarm(
          times(8, (i) =>
            i % 3 === 2 ? make.chain([make.task(), make.task()]) : make.task({ takes: 40, fails: 1 }),
          ),
          {
            concurrency: 3,
            stopAfterFailures: 1,
            onItemError: make.task(),
          },
        )
        .onError(make.task())
        .onCleanup(make.task()),
  },
  {
    name: "a chain that fails deep inside",
    plan: (make) => {
      const deep = make
        .chain([
          make.task().onCleanup(make.task({ takes: 200 })),
          make.task({ fails: 1, terminal: true }),
          make.task(),
        ])
        .onCleanup(make.task());
      return make
        .chain([make.task(), make.chain([deep, make.task()]).onCleanup(make.task()), make.task()])
        .onError(make.task())
        .onCleanup(make.task());
    },
  },
  {
    name: "callbacks that are containers",
    plan: (make) =>
      make
        .task({ takes: 10 })
        .onSuccess(
          make
            .chain([
              make.task(),
              make.swarm(
                times(3, () => make.task()),
                { concurrency: 1 },
              ),
            ])
            .onSuccess(make.task()),
        )
        .onCleanup(make.swarm(times(2, () => make.task({ takes: 20 })))),
  },
  {
    name: "an open swarm that is added to and closed",
    // Its item ends at the instant at which others are added: both in one commit, or one after the other. It is closed
    // when nothing is left in it, so that nothing may need the close, or another change, to be started.
    plan: (make) => make.swarm([make.task({ takes: 290 })], { open: true, concurrency: 2 }),
    controls: [
      {
        at: 300,
        give: ({ orders, process, rootId, make }) =>
          orders.add(process, rootId, [make.task({ takes: 50 }), make.task(), make.task().keyed("once")]),
      },
    ],
  },
  {
    name: "a tree that is suspended and resumed",
    plan: (make) =>
      make.chain([
        make.swarm(
          times(5, (i) =>
            i % 2 === 0 ? make.task({ takes: 400 }) : make.chain([make.task({ takes: 150 }), make.task()]),
          ),
          { concurrency: 2 },
        ),
        make.task({ takes: 10 }, { delay: 200 }),
      ]),
    controls: [
      { at: 200, give: ({ orders, process, rootId }) => orders.suspend(process, `${rootId}.0`) },
      { at: 900, give: ({ orders, process, rootId }) => orders.suspend(process, rootId) },
      { at: 1_500, give: ({ orders, process, rootId }) => orders.resume(process, `${rootId}.0`) },
      { at: 2_000, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
    ],
  },
  {
    name: "steps, checkpoints and plans that tasks submit",
    plan: (make) =>
      make.swarm(
        times(2, () =>
          make.task(
            {
              takes: 30,
              fails: 1,
              steps: 3,
              checkpoint: true,
              progress: true,
              submits: make.chain([make.task(), make.task()]),
            },
            { attempts: 2, wait: 100, timeout: 5_000 },
          ),
        ),
      ),
  },
  {
    name: "a tree that is interrupted and goes on",
    plan: (make) =>
      make
        .chain([
          make.swarm(
            times(5, (i) =>
              make
                .chain([
                  make.task({ takes: 100 * i, lingers: 40, finishes: i === 2 }),
                  make.task({ deaf: i === 3 }),
                ])
                .onCleanup(make.task({ takes: 30 })),
            ),
            { concurrency: 3, onItemCleanup: make.task() },
          ),
          make.task({ takes: 50, steps: 2 }),
        ])
        .onSuccess(make.task())
        .onCleanup(make.task({ takes: 20 })),
    controls: [
      { at: 150, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 100) },
      { at: 700, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
      { at: 900, give: ({ orders, process, rootId }) => orders.interrupt(process, `${rootId}.0.3`, 0) },
      { at: 1_300, give: ({ orders, process, rootId }) => orders.resume(process, `${rootId}.0.3`) },
    ],
  },
  {
    name: "a swarm whose items end well within the grace of an interrupt, and clean up after that",
    // The first has cleaned up when the second ends, so that nothing but the credit of the second keeps the swarm from cleaning up.
    plan: (make) =>
      make
        .swarm(
          times(2, (i) =>
            make
              .task({ takes: 900, lingers: 60 + 340 * i, finishes: true })
              .onCleanup(make.task({ takes: 150 })),
          ),
          { concurrency: 2 },
        )
        .onCleanup(make.task({ takes: 20 })),
    controls: [{ at: 150, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 1_000) }],
  },
  {
    name: "a swarm that stops its items past its limit, and is interrupted while they stop, once more for a shorter time",
    plan: (make) =>
      make
        .swarm(
          [
            make.task({ takes: 100, fails: 1, terminal: true }),
            make.task({ takes: 9_000, lingers: 600 }).onCleanup(make.task({ takes: 300 })),
            make.chain([make.task({ takes: 9_000, deaf: true })]).onCleanup(make.task({ takes: 50 })),
            make.task(),
          ],
          { concurrency: 3, stopAfterFailures: 0, onLimit: "interrupt" },
        )
        .onCleanup(make.task({ takes: 20 })),
    controls: [
      { at: 300, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 5_000) },
      { at: 500, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 1_000) },
      { at: 2_700, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
    ],
  },
  {
    name: "a tree that is cancelled while it stops for an interrupt",
    plan: (make) =>
      make
        .swarm(
          times(3, (i) =>
            make
              .chain([make.task({ takes: 900, lingers: 150 * (i + 1) })])
              .onCleanup(make.task({ takes: 200 })),
          ),
          { concurrency: 3 },
        )
        .onCleanup(make.task({ takes: 20 })),
    controls: [
      { at: 100, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 2_000) },
      { at: 200, give: ({ orders, process, rootId }) => orders.cancel(process, rootId, 10, 1_000) },
    ],
  },
  {
    name: "a workflow that begins again, and is stopped while it does",
    plan: (make) =>
      make
        .swarm(
          times(4, (i) =>
            make.chain([make.task({ takes: 20 }), make.task({ takes: 20, fails: i === 3 ? 1 : 0 })]),
          ),
          { concurrency: 2, onItemError: make.task() },
        )
        .onSuccess(make.task())
        .onCleanup(make.task()),
    controls: [
      { at: 600, give: ({ orders, process, rootId }) => orders.rerun(process, rootId) },
      { at: 601, give: ({ orders, process, rootId }) => orders.suspend(process, `${rootId}.1`) },
      { at: 620, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 50) },
      { at: 900, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
      { at: 2_000, give: ({ orders, process, rootId }) => orders.rerun(process, rootId) },
    ],
  },
  {
    name: "a tree that is cancelled while it runs",
    plan: (make) =>
      make
        .chain([
          make
            .task()
            .onSuccess(make.chain([make.task({ takes: 5_000 }), make.task()]).onCleanup(make.task())),
          make
            .swarm(
              times(4, (i) =>
                make
                  .chain([make.task({ takes: 300, deaf: i === 1, lingers: 60 }), make.task()])
                  .onCleanup(make.task()),
              ),
              { concurrency: 3 },
            )
            .onCleanup(make.task({ takes: 40, fails: 1 }, { attempts: 2, wait: 50 }))
            .onError(make.task()),
        ])
        .onSuccess(make.task())
        .onCleanup(make.task()),
    // The swarm is told to stop just before, and has not when the cancellation comes.
    controls: [
      { at: 120, give: ({ orders, process, rootId }) => orders.interrupt(process, `${rootId}.1`, 1_000) },
      { at: 130, give: ({ orders, process, rootId }) => orders.cancel(process, rootId, 10, 100) },
    ],
  },
  {
    name: "a workflow that is marked, and wanted back when it goes",
    plan: (make) => make.chain([make.task({ takes: 20, checkpoint: true }), make.task({ log: true })]),
    controls: [
      { at: 300, give: ({ orders, process, rootId }) => orders.delete(process, rootId, 700) },
      { at: 1_005, give: ({ orders, process, rootId }) => orders.rerun(process, rootId) },
    ],
  },
  {
    name: "a workflow that is marked while it is interrupted, and goes on before its time",
    plan: (make) => make.chain([make.task({ takes: 300, lingers: 30 }), make.task()]),
    controls: [
      { at: 100, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 50) },
      { at: 300, give: ({ orders, process, rootId }) => orders.delete(process, rootId, 1_200) },
      { at: 500, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
    ],
  },
  {
    name: "a workflow that is removed, and told to begin again in the same breath",
    plan: (make) => make.chain([make.task(), make.task()]),
    controls: [
      {
        at: 600,
        give: ({ orders, process, rootId }) => {
          orders.purge(process, rootId);
          orders.rerun(process, rootId);
        },
      },
    ],
  },
  {
    name: "a workflow that is cancelled when it has settled, and told to begin again",
    plan: (make) => make.chain([make.task()]),
    controls: [
      { at: 600, give: ({ orders, process, rootId }) => orders.cancel(process, rootId, 0, 50) },
      ...[602, 605, 610, 650].map((at) => ({
        at,
        give: ({ orders, process, rootId }: Control) => orders.rerun(process, rootId),
      })),
    ],
  },
  {
    name: "tasks that register what releases what they hold, and fail, or lose their worker once too often",
    plan: (make) =>
      make.swarm(
        times(3, (i) => {
          const release = make.task({ takes: 20, fails: 1 }, { attempts: 2, wait: 100 });
          const script = {
            takes: 60,
            fails: i,
            twin: i === 1 ? make.chain([release, make.task()]) : release,
          };
          const task = make.task(script, { attempts: 2, wait: 150, maxRecoveries: i === 0 ? 0 : 5 });
          return task.onCleanup(make.task());
        }),
        { concurrency: 2, onItemCleanup: make.task() },
      ),
  },
  {
    name: "tasks that hold something, are interrupted, go on, begin again, and are cancelled",
    plan: (make) =>
      make
        .chain([
          make.task({ takes: 200, steps: 1, lingers: 30, twin: make.task({ takes: 40 }) }),
          make.task({ takes: 300, deaf: true, twin: make.task() }),
        ])
        .onCleanup(make.task()),
    controls: [
      { at: 120, give: ({ orders, process, rootId }) => orders.interrupt(process, rootId, 100) },
      { at: 500, give: ({ orders, process, rootId }) => orders.resume(process, rootId) },
      { at: 1_600, give: ({ orders, process, rootId }) => orders.rerun(process, rootId) },
      { at: 2_100, give: ({ orders, process, rootId }) => orders.cancel(process, rootId, 10, 100) },
    ],
  },
  {
    name: "a workflow that is cancelled when it has ended, while what follows from it runs",
    plan: (make) =>
      make
        .swarm(times(3, () => make.task().onSuccess(make.task({ takes: 3_000 }).onCleanup(make.task()))))
        .onSuccess(
          make.swarm(times(2, () => make.task({ takes: 2_000 }).onCleanup(make.task({ takes: 100 })))),
        ),
    controls: [{ at: 400, give: ({ orders, process, rootId }) => orders.cancel(process, rootId, 0, 50) }],
  },
];
