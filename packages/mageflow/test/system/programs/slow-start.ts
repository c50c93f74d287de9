import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { MageFlow } from "mageflow";
import { hold } from "./held-start.ts";

/**
 * A worker whose task runs in a process that is held twice while it starts: before its program, and while it loads the task's module.
 * Arguments: store, ledger, and the files that let it go on.
 */
const [store, ledger, started, loaded] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });

mage.task("loop", { isolation: "process", module: import.meta.url }, () => {
  appendFileSync(ledger!, "loops\n");
  for (;;);
});
mage.task("task", { isolation: "process", module: import.meta.url }, () => "done");

if (import.meta.main) {
  process.env["HELD_START"] = started;
  process.env["NODE_OPTIONS"] = `--import=${new URL("held-start.ts", import.meta.url).href}`;
  const worker = await mage.worker();
  process.stdout.write("ready\n");
  // It is told to stop.
  await once(process.stdin, "data");
  await worker.stop();
  await mage.close();
  process.stdin.destroy();
} else {
  hold("loads", loaded!);
}
