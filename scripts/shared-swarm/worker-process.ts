import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow } from "mageflow";
import { openLedger } from "../chaos/ledger.ts";

/** A worker of the shared swarm, killed and replaced like all of them. */
const [store, ledgerPath] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });
mage.task("item", async ({ ms }: { ms: number }, { id, epoch }) => {
  ledger.add({ what: "start", pid: process.pid, id, epoch, at: Date.now() });
  await sleep(ms);
  ledger.add({ what: "end", pid: process.pid, id, epoch, at: Date.now() });
  return null;
});
await mage.worker({ concurrency: 4, lease: "1s", heartbeat: "200ms" });
process.stdout.write("ready\n");
