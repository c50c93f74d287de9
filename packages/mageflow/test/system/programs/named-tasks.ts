import { MageFlow } from "mageflow";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/** A worker that knows the tasks that it is told to know. Each takes some milliseconds and leaves its start and end. */
const [store, ledgerPath, ...names] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });

for (const name of names) {
  mage.task(name, async ({ ms = 0 }: { ms?: number }, ctx) => {
    const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
    const row = { pid: process.pid, id, generation, attempt, epoch, key };
    ledger.add({ what: "start", ...row });
    await new Promise((resolve) => setTimeout(resolve, ms));
    ledger.add({ what: "end", ...row });
    return process.pid;
  });
}

// A few at a time, so that none of several workers can do everything alone.
await mage.worker({ concurrency: 4 });
process.stdout.write("ready\n");
