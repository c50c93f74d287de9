import { MageFlow } from "mageflow";
import { openLedger } from "../chaos/ledger.ts";
import { chaosTasks } from "../chaos/tasks.ts";

/**
 * One of the processes that follow one another, as a service does: SIGTERM lets it end, also while it starts. The lease is the default of
 * 15 s: what waits for the end of one is plain to see.
 */
const [store, ledger] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });
chaosTasks(mage, openLedger(ledger!));
process.on("SIGTERM", () => void mage.close().then(() => process.exit(0)));
await mage.worker({ concurrency: 8, grace: "100ms" });
process.stdout.write("ready\n");
