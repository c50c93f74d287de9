import { MageFlow } from "mageflow";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/** A worker with a task that blocks the event loop for three times its lease. */
const [store, ledgerPath] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });

mage.task("block", ({ ms }: { ms: number }, ctx) => {
  const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
  ledger.add({ what: "start", pid: process.pid, id, generation, attempt, epoch, key });
  // Held as by a busy loop, and without taking the machine from the other tests.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  ledger.add({ what: "end", pid: process.pid, id, generation, attempt, epoch, key });
  return process.pid;
});
mage.task("quick", () => process.pid);

await mage.worker({ lease: "1s", heartbeat: "200ms" });
process.stdout.write("ready\n");
