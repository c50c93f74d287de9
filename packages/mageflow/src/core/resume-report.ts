import { type SignatureRecord } from "./record.ts";

/** What becomes of unfinished work. */
export const FATES = ["resumed", "started", "kept", "skipped", "parked", "failed"] as const;

/**
 * `resumed`: a task that lost its worker goes on. `parked`: it waits until somebody resumes it. `failed`: it has lost too many.
 * `started`: a workflow goes on by itself. `kept`: it is suspended, interrupted or not started, and stays so. `skipped`: it has failed.
 */
export type Fate = (typeof FATES)[number];

export interface ResumeEntry {
  readonly id: string;
  readonly name: string;
  readonly what: Fate;
  readonly why: string;
}

/**
 * What a process did about unfinished work: when it started, when it found that a worker was lost, or when a worker of it refused what was to
 * go on.
 */
export interface ResumeReport extends Readonly<Record<Fate, number>> {
  readonly id: string;
  /** The store's time, epoch milliseconds. */
  readonly at: number;
  /** The session of the process, or of the worker that refused. */
  readonly by: string;
  readonly reason: "start" | "lost worker" | "refused";
  /** The sum of the other counts. */
  readonly seen: number;
  /** Of a start: the process has not got to the end of what it found. */
  readonly more: boolean;
  /** The first 1,000. */
  readonly entries: readonly ResumeEntry[];
}

export const MOST_ENTRIES = 1_000;

export function emptyReport(head: Pick<ResumeReport, "id" | "at" | "by" | "reason">): ResumeReport {
  const counts = { seen: 0, resumed: 0, started: 0, kept: 0, skipped: 0, parked: 0, failed: 0 };
  return { ...head, ...counts, more: false, entries: [] };
}

export function withEntries(report: ResumeReport, entries: readonly ResumeEntry[]): ResumeReport {
  const counts = Object.fromEntries(FATES.map((fate) => [fate, report[fate]])) as Record<Fate, number>;
  for (const { what } of entries) counts[what]++;
  const room = Math.max(0, MOST_ENTRIES - report.entries.length);
  return {
    ...report,
    ...counts,
    seen: report.seen + entries.length,
    entries: room === 0 ? report.entries : [...report.entries, ...entries.slice(0, room)],
  };
}

/**
 * What becomes of an open workflow when a process starts, by its root. Null for a task that a worker has, or had when it was lost: whoever
 * takes it over tells of it.
 */
export function fateOfRoot(root: SignatureRecord): ResumeEntry | null {
  const { id, name, kind, status, recoveries, stop } = root;
  if (kind === "task" && (status === "RUNNING" || recoveries > 0 || stop?.clean === false)) return null;
  const [what, why] = fate(root);
  return { id, name, what, why };
}

function fate({ status, stop, deletion, readyAt, family }: SignatureRecord): [Fate, string] {
  switch (status) {
    case "SUSPENDED":
      return ["kept", "it is suspended"];
    case "INTERRUPTED":
      return ["kept", stop?.reason ? `it was interrupted: ${stop.reason}` : "it was interrupted"];
    case "PENDING":
      if (deletion !== null) return ["kept", "it is marked for deletion"];
      return readyAt === null ? ["kept", "nobody has started it"] : ["started", "it waits for its turn"];
    case "READY":
      return ["started", "it waits for a worker"];
    case "WAITING":
      return ["started", "it waits for its time"];
    case "RUNNING":
      return family?.stopping === true
        ? ["skipped", "it fails when what runs in it has ended"]
        : ["started", "it goes on"];
    case "FAILED":
      return ["skipped", "it has failed; its callbacks and cleanups go on"];
    case "SUCCEEDED":
    case "SKIPPED":
    case "CANCELLED":
      return ["started", "its callbacks and cleanups go on"];
  }
}

/** What has become of a task that lost its worker: `before` and `now` are the record before and after the decision. */
export function fateOfTask(before: SignatureRecord, now: SignatureRecord): ResumeEntry {
  const { id, name } = before;
  if (now.status === "FAILED") return { id, name, what: "failed", why: now.error!.message };
  if (now.status !== "INTERRUPTED" && now.status !== "CANCELLED")
    return { id, name, what: "resumed", why: `its worker ${before.workerId} was lost` };
  return before.stop === null
    ? { id, name, what: "parked", why: now.stop!.reason! }
    : { id, name, what: "kept", why: "it was told to stop before its worker was lost" };
}
