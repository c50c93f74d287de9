import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { MageFlow } from "mageflow";

/**
 * A worker for these tasks: `hold` makes a folder, registers what removes it, and never ends; `remove` does so. Arguments: store,
 * names of tasks.
 */
const [store, ...tasks] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const remove = mage.task("remove", ({ path }: { path: string }, { cause }) => {
  if (existsSync(path)) rmdirSync(path);
  say(`removed after ${cause!.outcome}`);
});
mage.task("hold", async ({ path }: { path: string }, ctx) => {
  if (!existsSync(path)) mkdirSync(path);
  await ctx.resource("folder", { path }, remove);
  say(`holds ${ctx.epoch}`);
  return new Promise<never>(() => {});
});

await mage.worker({ tasks, lease: "1s", heartbeat: "200ms" });
say("ready");
