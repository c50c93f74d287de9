import { expect } from "vitest";
import type {
  AutoResumeOptions,
  MageFlow,
  ResumeReport,
  SignatureView,
  TaskOptions,
  WorkerRow,
} from "../../src/index.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import { autoResume } from "../../src/runtime/auto-resume.ts";
import { eventually } from "./eventually.ts";
import type { Open, Strike } from "./on-each-store.ts";

export type Options = Pick<TaskOptions, "version" | "autoResume">;

const COUNTS = ["resumed", "started", "kept", "skipped", "parked", "failed"] as const;

/** What a report counts, but for zeros. */
export function counts(report: ResumeReport | undefined): Record<string, number> {
  expect(COUNTS.reduce((sum, count) => sum + report![count], 0)).toBe(report!.seen);
  return Object.fromEntries(
    COUNTS.filter((count) => report![count] > 0).map((count) => [count, report![count]]),
  );
}

/** The newest report of this reason, when it has seen so many. */
export function report(
  mage: MageFlow,
  seen = 1,
  reason: ResumeReport["reason"] = "lost worker",
): Promise<ResumeReport> {
  return eventually(async () => {
    const newest = (await mage.resumeReports()).find((one) => one.reason === reason);
    return newest?.seen === seen && !newest.more ? newest : null;
  });
}

/** The view of a signature when it runs no more. Who waits for one looks after what lost workers held. */
export async function stopped(mage: MageFlow, id: string): Promise<SignatureView> {
  const run = await mage.get(id);
  void run.settled().catch(() => {});
  return eventually(async () => {
    const view = await run.view();
    return view.status === "RUNNING" ? null : view;
  });
}

/** The row that a worker leaves behind that was killed under these rules. */
export function lostRow(rules: AutoResumeOptions = {}, id = "w-killed"): WorkerRow {
  const row = {
    id,
    host: "h",
    pid: 1,
    tasks: ["work"],
    concurrency: 1,
    startedAt: 1,
    leaseUntil: 1,
    endedAt: null,
  };
  return { ...row, autoResume: autoResume(rules).rules };
}

/** Ways to leave work behind in the store of the test, and to come back to it. */
export interface LostWork {
  /** Leaves these behind as a worker does that was killed: they run, and its lease has lapsed. */
  readonly kill: (
    ids: readonly string[],
    changes?: Partial<SignatureRecord>,
    worker?: WorkerRow,
  ) => Promise<void>;
  /** Ids of tasks that ran on a worker that was killed, in a store that nobody has open. */
  readonly killed: (count: number, options?: Options, rules?: AutoResumeOptions) => Promise<string[]>;
  /** A MageFlow that knows the task. */
  readonly working: (autoResume?: AutoResumeOptions, options?: Options) => MageFlow;
}

export function lostWork(open: Open, strike: Strike): LostWork {
  async function kill(
    ids: readonly string[],
    changes: Partial<SignatureRecord> = {},
    worker: WorkerRow = lostRow(),
  ): Promise<void> {
    await strike(async (tx) => {
      const { records } = await tx.lock(ids, { wait: true });
      const running = {
        status: "RUNNING",
        workerId: worker.id,
        epoch: 1,
        attempt: 1,
        startedAt: 1,
      } as const;
      const update = records.map((record) => ({ ...record, ...running, ...changes }));
      await tx.write({ update, workers: [worker] });
    });
  }

  async function killed(count: number, options: Options = {}, rules?: AutoResumeOptions): Promise<string[]> {
    const before = open();
    const work = before.task("work", options, (input: { n: number }) => input.n);
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push((await before.run(work.with({ n }))).id);
    await before.close();
    await kill(ids, {}, lostRow(rules));
    return ids;
  }

  function working(autoResume: AutoResumeOptions = {}, options: Options = {}): MageFlow {
    const mage = open({ autoResume });
    mage.task("work", options, (input: { n: number }) => input.n);
    return mage;
  }

  return { kill, killed, working };
}
