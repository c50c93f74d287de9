import { DatabaseSync } from "node:sqlite";
import { MageFlow, type Run, WaitTimeoutError } from "mageflow";
import type { Line } from "./diary.ts";
import { broken, promisesOf, untold } from "./promises.ts";
import { tasksOf } from "./tasks.ts";

/** What is judged, each counted. */
export const LAWS = [
  /** Something that was acknowledged is not there, or not as it was told. */
  "lost",
  /** SQLite finds its file damaged, or cannot read it. */
  "damaged",
  /** Something does not go on to its end. */
  "stuck",
  /** A finished step that ran again. */
  "stepsRerun",
  /** What `mageflow verify` finds, before and after the work went on. */
  "breaches",
] as const;

export type Report = (kind: (typeof LAWS)[number], detail: string) => void;

/** For everything that is left to settle (ms), with its leases over. */
const PATIENCE_MS = 30_000;

/** Opens what is left of a store, judges it by what was told of it, and lets the work go on to its end. */
export async function survive(file: string, diary: readonly Line[], report: Report): Promise<void> {
  await using mage = new MageFlow({ store: `sqlite:${file}` });
  const finished = new Set(
    diary.filter(({ what }) => what === "step").map(({ story, step }) => `${story} ${step}`),
  );
  const tasks = tasksOf(mage, {
    lingers: false,
    runs: (rootId, step) => {
      if (finished.has(`${rootId} ${step}`)) report("stepsRerun", `${rootId} ran its step "${step}" again`);
    },
    stored: () => {},
  });
  try {
    for (const promised of promisesOf(diary)) {
      const what = await broken(mage, promised);
      if (what !== null) report("lost", what);
    }
    for (const deed of await untold(mage, diary)) report("lost", `"${deed}" is not in the audit trail`);
    await audit(mage, report);
    checkPages(file, report);
    await mage.worker({ lease: "1s", heartbeat: "200ms" });
    await mage.reconcile();
    const fresh = await mage.run(tasks.note);
    await Promise.all((await left(mage)).map((run) => end(run, report)));
    await end(fresh, report);
    await audit(mage, report);
    checkPages(file, report);
  } catch (error) {
    report("damaged", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** Everything that is stored, told to go on. */
async function left(mage: MageFlow): Promise<Run[]> {
  const { items } = await mage.list({ limit: 500 });
  return Promise.all(
    items
      .filter(({ execution }) => execution !== "CANCELLED")
      .map(async ({ id, name, execution, startedAt }) => {
        const run = await mage.get(id);
        if (execution === "SUSPENDED" || execution === "INTERRUPTED") await run.resume();
        else if (execution === "PENDING" && startedAt === null) await run.start();
        else if (name === "growing" && execution === "RUNNING") await run.close();
        return run;
      }),
  );
}

async function end(run: Run, report: Report): Promise<void> {
  try {
    await run.settled({ timeout: PATIENCE_MS });
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error;
    report("stuck", `${run.id} is ${(await run.view()).status}`);
  }
}

async function audit(mage: MageFlow, report: Report): Promise<void> {
  for await (const { severity, invariant, id, message } of mage.verify())
    if (severity === "breach") report("breaches", `${invariant} ${id}: ${message}`);
}

function checkPages(file: string, report: Report): void {
  using database = new DatabaseSync(file);
  const told = database.prepare("PRAGMA integrity_check").all();
  const [first] = told.map((row) => String(row["integrity_check"]));
  if (first !== "ok") report("damaged", `${first}`);
}
