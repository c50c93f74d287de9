import { MageFlow, type MageFlowError } from "mageflow";

/** A worker that stops on SIGTERM, as a service does. */
const [store] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

mage.task("takes", async ({ ms }: { ms: number }, ctx) => {
  say(`entered ${ms} ${ctx.epoch}`);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { pid: process.pid };
});
mage.task("endless", async (_input: unknown, ctx) => {
  say(`entered endless ${ctx.epoch}`);
  if (ctx.epoch > 1) return { pid: process.pid };
  ctx.signal.addEventListener("abort", () => say(`aborted ${(ctx.signal.reason as MageFlowError).name}`));
  return new Promise<{ pid: number }>(() => {});
});

const worker = await mage.worker({ grace: "1s" });
process.on("SIGTERM", () => {
  say("stopping");
  void worker.stop().then(async () => {
    await mage.close();
    process.exit(0);
  });
});
say("ready");
