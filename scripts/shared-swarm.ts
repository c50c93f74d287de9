import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow, swarm } from "mageflow";
import { openLedger, readLedger } from "./chaos/ledger.ts";
import { openPlace, STORES } from "./chaos/place.ts";
import { type Child, startChild } from "./chaos/process.ts";
import { leasesOf } from "./shared-swarm/leases.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Four worker processes share one swarm with a concurrency of 10, and one of them is killed and replaced every second (`--every`, in
 * milliseconds: a machine that is busy with other things starts no process in a second). Tells how many
 * leases there were at once, by what the handlers left outside MageFlow; the exit code is 1 when there were more than 10, fewer for long, or
 * when an item was lost.
 *
 *     npm run shared-swarm -- [--store sqlite|postgres|mysql] [--items 600] [--every 1000] [--json]
 */
const USAGE =
  "usage: npm run shared-swarm -- [--store sqlite|postgres|mysql] [--items 600] [--every 1000] [--json]";
const { values } = readArguments(USAGE, {
  options: {
    store: { type: "string", default: "postgres" },
    items: { type: "string", default: "600" },
    every: { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
  },
});
const kind = STORES.find((one) => one === values.store);
const count = Number(values.items);
const every = Number(values.every);
if (kind === undefined || ![count, every].every((number) => Number.isInteger(number) && number > 0)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const WORKERS = 4;
const CONCURRENCY = 10;
/** What is left by a killed worker comes back within its lease (1 s) and 2 s. */
const LONG_MS = 3_000;

const folder = mkdtempSync(join(tmpdir(), "mageflow-shared-"));
const place = await openPlace(kind, { cache: false, bullmq: false }, folder);
const shared = share(place.where.store, join(folder, "ledger.jsonl"));
// The server goes too when this fails.
await Promise.allSettled([shared]);
await place.remove();
rmSync(folder, { recursive: true });
const summary = await shared;
if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
else console.table(Object.fromEntries(Object.entries(summary).map(([key, value]) => [key, { value }])));
const isGood = summary.mostLeases <= CONCURRENCY && summary.longestBelowMs <= LONG_MS && summary.lost === 0;
process.exit(isGood ? 0 : 1);

interface Summary {
  readonly lost: number;
  readonly mostLeases: number;
  readonly longestBelowMs: number;
  readonly [figure: string]: number | string;
}

/** Runs the swarm, its workers being killed one after the other. */
async function share(store: string, path: string): Promise<Summary> {
  const ledger = openLedger(path);
  const atWork = new Set<Child>();
  const start = (): Child => {
    const child = startChild(new URL("./shared-swarm/worker-process.ts", import.meta.url), [store, path]);
    void child.line("ready").then(() => atWork.add(child));
    return child;
  };

  await using mage = new MageFlow({ store });
  const item = mage.task("item", (_input: { ms: number }) => null);
  const items = Array.from({ length: count }, (_, n) => item.with({ ms: 100 + 10 * (n % 40) }));
  const run = await mage.run(swarm(items, { concurrency: CONCURRENCY }));
  const fleet = Array.from({ length: WORKERS }, start);
  await Promise.all(fleet.map((child) => child.line("ready")));
  const ended = run.settled();
  let kills = 0;
  while ((await Promise.race([ended, sleep(every)])) === undefined) {
    // The one that has been at work for longest; on a busy machine none may have come to it yet.
    const [victim] = atWork;
    if (victim === undefined) continue;
    atWork.delete(victim);
    victim.process.kill("SIGKILL");
    await victim.ended;
    ledger.add({ what: "dead", pid: victim.pid });
    kills++;
    fleet[fleet.indexOf(victim)] = start();
  }
  const { succeeded, total } = (await run.result()) as { succeeded: number; total: number };
  for (const child of fleet) child.process.kill("SIGKILL");
  await Promise.all(fleet.map((child) => child.ended));
  ledger.close();

  const rows = readLedger(path);
  const { most, longestBelow, full } = leasesOf(rows, CONCURRENCY);
  return {
    store: values.store,
    items: total,
    lost: total - succeeded,
    kills,
    starts: rows.filter(({ what }) => what === "start").length,
    mostLeases: most,
    longestBelowMs: longestBelow,
    fullPercent: Math.round(full * 100),
    workers: WORKERS,
    killedEveryMs: every,
    concurrency: CONCURRENCY,
  };
}
