import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { MageFlow, MageFlowError } from "mageflow";

/** Submits and works on a store that runs out of room, and tells what happens. */
const [store, file] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const finish = Promise.withResolvers<void>();
const held = mage.task("held", async () => {
  say("entered");
  await finish.promise;
  say("returned");
  return "kept";
});
const large = mage.task("large", ({ text }: { text: string }) => text.length);
await mage.worker();

createInterface({ input: process.stdin }).on("line", (command) => {
  if (command === "finish") finish.resolve();
  if (command === "submit") void submit();
  if (command === "read") void read();
});

async function submit(): Promise<void> {
  try {
    const run = await mage.run(large, { text: "x".repeat(900_000) });
    say(`acknowledged ${run.id}`);
    say(`done ${await run.result()}`);
  } catch (error) {
    const { name, code, message } = error as MageFlowError;
    say(`refused ${JSON.stringify({ name, code, message, typed: error instanceof MageFlowError })}`);
  }
}

async function read(): Promise<void> {
  const { items } = await mage.list();
  say(`listed ${JSON.stringify(items.map(({ name, status }) => `${name} ${status}`))}`);
}

const run = await mage.run(held);
void run.result().then((result) => say(`result ${result}`));
say(`size ${Math.max(statSync(file!).size, statSync(`${file}-wal`).size)}`);
