import { MageFlow } from "mageflow";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/** A worker with a task that is not to go on by itself, and hangs behind its first step and checkpoint until it has one. */
const [store, ledgerPath] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

mage.task("careful", { autoResume: false }, async (_input: unknown, ctx) => {
  const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
  const first = await ctx.step("first", () => {
    ledger.add({ what: "start", pid: process.pid, id, generation, attempt, epoch, key });
    return process.pid;
  });
  if (ctx.checkpointed !== null) return { first, checkpointed: ctx.checkpointed };
  await ctx.checkpoint({ page: 3 });
  say("saved");
  return new Promise<never>(() => {});
});
mage.task("clean", (_input: unknown, ctx) => say(`cleaned ${ctx.cause!.name}`));

await mage.worker({ lease: "1s", heartbeat: "200ms" });
say("ready");
