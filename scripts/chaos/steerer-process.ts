import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openWitness } from "./open-witness.ts";
import { openLedger, readLedger } from "./ledger.ts";
import { Steerer } from "./steerer.ts";
import { STORIES, story } from "./stories.ts";
import { chaosTasks } from "./tasks.ts";
import { fromArgument, openMage } from "./where.ts";

/** Gives the orders of a round's stories. The ledger tells the next process, should this one be killed, how far it came. */
// It is started ahead of its turn, so that a killed one is replaced at once.
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.unref();

const [argument, ledgerPath, seed] = process.argv.slice(2);
const where = fromArgument(argument!);
const said = readLedger(ledgerPath!).flatMap(({ word }) => word ?? []);
const ledger = openLedger(ledgerPath!);
const witness = openWitness(where.witness);
// What is asked for at once goes over connections that know nothing of each other.
const mages = [await openMage(where), await openMage(where)] as const;
const tasks = chaosTasks(mages[0], null);
const steerer = new Steerer(mages, tasks, ledger, witness, (verb) => process.stdout.write(`asks ${verb}\n`));

await Promise.all(
  Array.from({ length: STORIES }, async (_, index) => {
    const { plan, start, beats } = story(Number(seed), index, tasks);
    const told = said.find(
      (word) => word.story === index && word.verb === "submit" && word.answer !== undefined,
    );
    const rootId = told?.rootId ?? (await steerer.submit(index, plan, start));
    const reached = Math.max(-1, ...said.filter((word) => word.story === index).map(({ beat }) => beat));
    for (const [beat, { pause, orders }] of beats.entries()) {
      if (beat <= reached) continue;
      await sleep(pause);
      await Promise.all(orders.map((order, nth) => steerer.give(order, { story: index, beat, nth, rootId })));
    }
  }),
);
for (const mage of mages) await mage.close();
await witness.close();
process.exit(0);
