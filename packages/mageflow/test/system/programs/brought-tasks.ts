import { MageFlow } from "mageflow";
import { bullmq } from "mageflow/bullmq";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/** A worker whose tasks are brought by BullMQ. Each takes some milliseconds and leaves its start and end; warnings are printed. */
const [store, ledgerPath, redis] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store!, engine: bullmq(redis!) });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.on("warning", ({ message }) => say(`warning ${message}`));

mage.task("item", async ({ ms = 0 }: { ms?: number }, { id, generation, attempt, epoch }) => {
  const row = { pid: process.pid, id, generation, attempt, epoch };
  ledger.add({ what: "start", ...row });
  say("began");
  await new Promise((resolve) => setTimeout(resolve, ms));
  ledger.add({ what: "end", ...row });
  return process.pid;
});

await mage.worker({ concurrency: 4, lease: "2s", heartbeat: "200ms" });
say("ready");
