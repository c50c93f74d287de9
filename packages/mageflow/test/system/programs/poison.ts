import { MageFlow } from "mageflow";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/** A worker with a task that takes the process down with it, each time. */
const [store, ledgerPath] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });

mage.task("poison", (_input: unknown, ctx) => {
  const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
  ledger.add({ what: "start", pid: process.pid, id, generation, attempt, epoch, key });
  process.abort();
});
mage.task("bystander", async (_input: unknown, ctx) => {
  // Long enough that some are at work at each crash.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return ctx.attempt;
});
mage.task("note", (_input: unknown, ctx) => ctx.cause!.error?.code ?? null);

await mage.worker({ concurrency: 6, lease: "800ms", heartbeat: "200ms" });
process.stdout.write("ready\n");
