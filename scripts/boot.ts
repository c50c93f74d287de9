import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { MageFlow } from "mageflow";
import { judge } from "./boot/judge.ts";
import { GOES_ON, Look, STATE } from "./boot/look.ts";
import { countsOf, said, seed, startWorker } from "./boot/seed.ts";
import type { Child } from "./chaos/process.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Leaves a SQLite store full of unfinished work, starts worker processes on it all at once, and judges what they do about it; then starts them
 * once more. One JSON object on stdout; the exit code is 1 when anything is not as it must be.
 *
 *     npm run boot -- [--records 100000] [--processes 8]
 */
const { values } = readArguments("usage: npm run boot -- [--records 100000] [--processes 8]", {
  options: {
    records: { type: "string", default: "100000" },
    processes: { type: "string", default: "8" },
  },
});
const counts = countsOf(Number(values.records));
const processes = Number(values.processes);

/** Time between two looks (ms). */
const LOOK_MS = 200;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

using folder = mkdtempDisposableSync(join(tmpdir(), "mageflow-boot-"));
const file = join(folder.path, "store.db");
const store = `sqlite:${file}`;

async function boot(): Promise<Child[]> {
  const children = Array.from({ length: processes }, () => startWorker(store));
  await Promise.all(children.map((child) => said(child, "ready")));
  return children;
}

async function leave(children: readonly Child[]): Promise<void> {
  for (const { process: child } of children) child.stdin!.write("goodbye\n");
  await Promise.all(children.map(({ ended }) => ended));
}

let began = performance.now();
const seconds = (): number => Math.round(performance.now() - began) / 1_000;
const { holder, lostPid, lostAt } = await seed(store, counts);
using look = new Look(file);
const records = look.number("SELECT count(*) FROM signatures");
say(`${records} records after ${seconds()} s`);
// The process that lives may have found it lost by now.
const isHeld = `SELECT count(*) FROM workers WHERE pid = ${lostPid} AND ended_at IS NULL AND lease_until >= `;
while (look.number(isHeld + Date.now()) > 0) await wait(LOOK_MS);
say(`leases have lapsed ${Date.now() - lostAt} ms after the kill`);

began = performance.now();
const first = await boot();
const ready = seconds();
while (look.number(GOES_ON) > 0) await wait(LOOK_MS);
const steady = seconds();
// A census that is still under way says that there is more.
while (look.number("SELECT coalesce(max(more), 1) FROM reports WHERE reason = 'start'") > 0)
  await wait(LOOK_MS);
const reported = seconds();
await leave(first);
say(`steady after ${steady} s, reported after ${reported} s`);

const before = { state: look.number(STATE), reports: look.number("SELECT count(*) FROM reports") };
began = performance.now();
const second = await boot();
// By the time this has run, every process has gone through its first rounds.
await using probing = new MageFlow({ store });
const probe = probing.task("probe", () => null);
await using prober = await probing.worker({ tasks: ["probe"] });
await (await probing.run(probe, undefined, { delay: "3s" })).result();
await prober.stop();
await leave(second);
const after = { state: look.number(STATE), reports: look.number("SELECT count(*) FROM reports") };
holder.process.kill("SIGKILL");
await holder.ended;

const reports = await probing.resumeReports({ limit: 100 });
const wrong = judge({ look, counts, reports, processes });
if (before.state !== after.state) wrong.push("the second boot changed something");
if (before.reports !== after.reports) wrong.push("the second boot reported something");
for (const what of wrong) say(`WRONG: ${what}`);
const sum = Object.fromEntries(
  (["seen", "resumed", "started", "kept", "skipped", "parked", "failed"] as const).map((fate) => [
    fate,
    reports.reduce((total, report) => total + report[fate], 0),
  ]),
);
process.stdout.write(
  `${JSON.stringify({ records, processes, ready, steady, reported, reports: reports.length, ...sum, wrong })}\n`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
