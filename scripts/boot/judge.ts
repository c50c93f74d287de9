import type { ResumeReport } from "mageflow";
import type { Look } from "./look.ts";
import type { Counts } from "./seed.ts";
import { PER_SECOND } from "./tasks.ts";

interface Evidence {
  readonly look: Look;
  readonly counts: Counts;
  readonly reports: readonly ResumeReport[];
  readonly processes: number;
}

/** What is not as it must be after a boot. */
export function judge({ look, counts, reports, processes }: Evidence): string[] {
  const wrong: string[] = [];
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) wrong.push(`${what}: ${found}, not ${expected}`);
  };
  const having = (condition: string): number =>
    look.number(`SELECT count(*) FROM signatures WHERE ${condition}`);
  const all = (fate: "resumed" | "started" | "kept" | "skipped" | "parked" | "failed"): number =>
    reports.reduce((sum, report) => sum + report[fate], 0);

  const { lost, careful, ready, chains, created, suspended, interrupted, unsettled, failed, held } = counts;
  expect(
    "lost tasks that went on once",
    having("name = 'lost' AND status = 'SUCCEEDED' AND recoveries = 1 AND attempt = 1"),
    lost,
  );
  expect("careful tasks that were parked", having("name = 'careful' AND status = 'INTERRUPTED'"), careful);
  expect(
    "tasks that waited and ran once",
    having("name = 'work' AND status = 'SUCCEEDED' AND epoch = 1"),
    ready + 2 * chains,
  );
  expect("chains that ended", having("kind = 'chain' AND status = 'SUCCEEDED'"), chains);
  expect("what nobody had started", having("name = 'done' AND status = 'PENDING'"), created);
  expect("what was suspended", having("status = 'SUSPENDED'"), suspended);
  expect("what was interrupted", having("name = 'done' AND status = 'INTERRUPTED'"), interrupted);
  expect(
    "what had failed",
    having("name = 'fails' AND status = 'FAILED' AND attempt = 1"),
    failed + unsettled,
  );
  expect(
    "what a live worker holds",
    having("name = 'held' AND status = 'RUNNING' AND epoch = 1 AND recoveries = 0"),
    held,
  );

  expect("reported as resumed", all("resumed"), lost);
  expect("reported as parked", all("parked"), careful);
  expect("reported as failed", all("failed"), 0);
  expect("reported as skipped", all("skipped"), unsettled);
  expect("reported as kept", all("kept"), created + suspended + interrupted);
  // What a worker took or ended before it was looked at is not told of.
  if (all("started") > ready + chains) wrong.push(`${all("started")} started, of ${ready + chains}`);
  const named = reports.flatMap(({ entries }) => entries.map(({ id }) => id));
  expect("named twice", named.length - new Set(named).size, 0);
  for (const { id, seen, resumed, started, kept, skipped, parked, failed: lostAll } of reports)
    expect(`seen by ${id}`, seen, resumed + started + kept + skipped + parked + lostAll);
  expect("what runs and should not", having("status = 'RUNNING' AND name <> 'held'"), 0);

  // Each process has a bucket of its own, the one that lives included, which begins when it takes the first task over.
  const from = Math.min(...reports.filter(({ reason }) => reason === "lost worker").map(({ at }) => at));
  const ends = look.numbers("SELECT finished_at FROM signatures WHERE name = 'lost' ORDER BY finished_at");
  const early = ends.filter(
    (at, n) => n + 1 > (processes + 1) * (((at - from) * PER_SECOND) / 1_000 + 1),
  ).length;
  expect("lost tasks that went on before it was their turn", early, 0);
  return wrong;
}
