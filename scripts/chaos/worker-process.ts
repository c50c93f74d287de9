import { openLedger } from "./ledger.ts";
import { chaosTasks } from "./tasks.ts";
import { fromArgument, openMage } from "./where.ts";

/** One of the processes that the nemesis kills. A SIGTERM lets it say goodbye. */
const [where, ledger] = process.argv.slice(2);
const mage = await openMage(fromArgument(where!));
chaosTasks(mage, openLedger(ledger!));
// So few that there is always something ready which nobody has taken yet.
const worker = await mage.worker({ concurrency: 8, lease: "1s", heartbeat: "200ms", grace: "100ms" });
process.on("SIGTERM", () => {
  void worker.stop().then(() => process.exit(0));
});
process.stdout.write("ready\n");
