/**
 * A nightly report: takes a lock, reads each source, adds up, writes the report, and gives the lock back whatever
 * happens. Run twice for the same day it does the work once.
 *
 * In a checkout, after `npm run setup`, with the sales of two shops (day and cents):
 *
 *     mkdir -p /tmp/shops && printf '2026-01-31,250\n' | tee /tmp/shops/north.csv > /tmp/shops/south.csv
 *     npx node --conditions=@mageflow/source examples/nightly-report.ts /tmp/shops 2026-01-31
 */
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chain, MageFlow, swarm, TerminalError } from "mageflow";
import { z } from "zod";

await using mage = new MageFlow();

const Night = z.object({ folder: z.string(), day: z.iso.date() });

const lock = mage.task("lock", { input: Night }, async (night) => {
  await mkdir(join(night.folder, "lock"), { recursive: true });
  return night;
});

const readSales = mage.task(
  "read sales",
  {
    input: Night.extend({ shop: z.string() }),
    retry: { attempts: 5, backoff: { type: "exponential", delay: "20ms" } },
  },
  async ({ folder, day, shop }) => {
    const text = await readFile(join(folder, `${shop}.csv`), "utf8").catch((cause: unknown) => {
      throw new TerminalError(`shop ${shop} has sent nothing`, { cause });
    });
    const rows = text
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    return rows.filter(([date]) => date === day).reduce((sum, [, cents]) => sum + Number(cents), 0);
  },
);

const write = mage.task(
  "write report",
  {
    input: Night.extend({
      total: z.int(),
      failed: z.int(),
      results: z.array(z.object({ key: z.string().optional(), result: z.int().optional() })).default([]),
    }),
  },
  async ({ folder, day, total, failed, results }) => {
    const lines = results.map(
      ({ key, result }) => `${key}: ${result === undefined ? "missing" : result / 100}`,
    );
    const file = join(folder, `report-${day}.txt`);
    await writeFile(
      file,
      [`Sales of ${day}`, ...lines, `${total - failed} of ${total} shops`, ""].join("\n"),
    );
    return { file };
  },
);

const unlock = mage.task("unlock", { input: Night, retry: { attempts: 10 } }, async ({ folder }) => {
  await rmdir(join(folder, "lock"));
  console.log("unlocked");
});

const alarm = mage.task("alarm", { input: Night }, ({ day }, { cause }) => {
  console.log(`no report for ${day}: ${cause?.error?.message}`);
});

const [folder = ".", day = "2026-01-31"] = process.argv.slice(2);
const shops = ["north", "south", "west"];
const nightly = chain(
  [
    lock,
    swarm(
      shops.map((shop) => readSales.with({ shop }).keyed(shop)),
      { name: "sales", stopAfterFailures: 1 },
    ),
    write.with({ folder, day }),
  ],
  { name: "nightly report", tags: ["nightly"] },
)
  .onError(alarm)
  .onCleanup(unlock);

await mage.worker();
const run = await mage.run(nightly, { folder, day }, { key: `nightly report ${day}` });
const { status, result } = await run.settled();
console.log(status, result === undefined ? "" : await readFile(result.file, "utf8"));
