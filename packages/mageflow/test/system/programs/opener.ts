import { createInterface } from "node:readline";
import { MageFlow } from "mageflow";

/** Opens each store that is named on stdin and puts something in. */
createInterface({ input: process.stdin }).on("line", (store) => {
  void open(store).catch((error: Error) => process.stdout.write(`failed ${store} ${error.message}\n`));
});
process.stdout.write("ready\n");

async function open(store: string): Promise<void> {
  await using mage = new MageFlow({ store });
  const run = await mage.run(mage.task("one", () => null));
  process.stdout.write(`stored ${store} ${run.id}\n`);
}
