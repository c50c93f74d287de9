import { once } from "node:events";
import { fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Run } from "mageflow";
import { insistently } from "./insistently.ts";
import { chaosTasks } from "./tasks.ts";
import { fromArgument, openMage } from "./where.ts";
import { submission, SUBMISSIONS } from "./workload.ts";

/**
 * Submits the workflows of a round, and writes down what was acknowledged, and that durably. A first line for each
 * attempt tells the next process, should this one be killed, how far it came.
 */
// It is started ahead of its turn, so that a killed one is replaced at once.
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.unref();

const [where, journal, seed] = process.argv.slice(2);
const file = openSync(journal!, "a+");
const attempted = new Set<number>();
const acknowledged = new Set<number>();
for (const line of readFileSync(journal!, "utf8").split("\n")) {
  const [what, index] = line.split(" ");
  if (what === "attempt") attempted.add(Number(index));
  if (what === "acknowledged") acknowledged.add(Number(index));
}
const write = (line: string): void => {
  writeSync(file, `${line}\n`);
  fsyncSync(file);
};

const mage = await openMage(fromArgument(where!));
const tasks = chaosTasks(mage, null);
for (let index = 0; index < SUBMISSIONS; index++) {
  const { plan, key, start } = submission(Number(seed), index, tasks);
  // Without a key nobody can know whether an unanswered submit has landed; with one it is simply made again.
  if (acknowledged.has(index) || (attempted.has(index) && key === null)) continue;
  write(`attempt ${index}`);
  process.stdout.write(`attempt ${index}\n`);
  const options = { tags: [`n${index}`], ...(key === null ? {} : { key }) };
  const submit = (): Promise<Run> =>
    start ? mage.run(plan, undefined, options) : mage.create(plan, options);
  const run = await insistently(submit);
  write(`acknowledged ${index} ${run.id}`);
}
await mage.close();
process.exit(0);
