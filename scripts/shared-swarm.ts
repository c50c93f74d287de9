import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MageFlow, swarm } from "mageflow";
import { openLedger, readLedger } from "./chaos/ledger.ts";
import { openPlace, STORES } from "./chaos/place.ts";
import { type Child, startChild } from "./chaos/process.ts";
import { leasesOf } from "./shared-swarm/leases.ts";

/**
 * Four worker processes share one swarm with a concurrency of 10, and one of them is killed and replaced every second. Tells how many
 * leases there were at once, by what the handlers left outside MageFlow; the exit code is 1 when there were more than 10, or when an item
 * was lost.
 *
 *     npm run shared-swarm -- [--store sqlite|postgres] [--items 2000] [--json]
 */
const { values } = parseArgs({
  options: {
    store: { type: "string", default: "postgres" },
    items: { type: "string", default: "2000" },
    json: { type: "boolean", default: false },
  },
});
const kind = STORES.find((one) => one === values.store);
const count = Number(values.items);
if (kind === undefined || !Number.isInteger(count) || count < 1) {
  process.stderr.write(`usage: npm run shared-swarm -- [--store ${STORES.join("|")}] [--items N] [--json]\n`);
  process.exit(2);
}

const WORKERS = 4;
const CONCURRENCY = 10;
const KILL_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), "mageflow-shared-"));
const place = await openPlace(kind, folder);
const path = join(folder, "ledger.jsonl");
const ledger = openLedger(path);
const start = (): Child =>
  startChild(new URL("./shared-swarm/worker-process.ts", import.meta.url), [place.store, path]);

const mage = new MageFlow({ store: place.store });
const item = mage.task("item", (_input: { ms: number }) => null);
const items = Array.from({ length: count }, (_, n) => item.with({ ms: 20 + (n % 40) }));
const run = await mage.run(swarm(items, { concurrency: CONCURRENCY }));
const fleet = Array.from({ length: WORKERS }, start);
await Promise.all(fleet.map((child) => child.line("ready")));
const ended = run.settled();
let kills = 0;
for (let n = 0; (await Promise.race([ended, sleep(KILL_MS)])) === undefined; n++) {
  const victim = fleet[n % WORKERS]!;
  victim.process.kill("SIGKILL");
  await victim.ended;
  ledger.add({ what: "dead", pid: victim.pid });
  kills++;
  fleet[n % WORKERS] = start();
}
const { succeeded, total } = (await run.result()) as { succeeded: number; total: number };
for (const child of fleet) child.process.kill("SIGKILL");
await Promise.all(fleet.map((child) => child.ended));
await mage.close();
ledger.close();

const rows = readLedger(path);
const { most, longestBelow, full } = leasesOf(rows, CONCURRENCY);
const summary = {
  store: kind,
  items: total,
  lost: total - succeeded,
  kills,
  starts: rows.filter(({ what }) => what === "start").length,
  mostLeases: most,
  longestBelowMs: longestBelow,
  fullPercent: Math.round(full * 100),
  workers: WORKERS,
  concurrency: CONCURRENCY,
};
if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
else console.table(Object.fromEntries(Object.entries(summary).map(([key, value]) => [key, { value }])));
await place.remove();
rmSync(folder, { recursive: true });
process.exit(most > CONCURRENCY || succeeded < total ? 1 : 0);
