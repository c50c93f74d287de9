import { chain, type Duration, MageFlow, MageFlowError } from "mageflow";
import { openLedger } from "../../../../../scripts/chaos/ledger.ts";

/**
 * A worker whose task never ends in its first epoch and, in later ones, ends when `finish` comes in. What the first epoch
 * still writes after it was told to stop is printed.
 */
const [store, ledgerPath, lease, heartbeat] = process.argv.slice(2);
const ledger = openLedger(ledgerPath!);
const mage = new MageFlow({ store: store! });

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const finish = new Promise<void>((resolve) => void process.stdin.once("data", () => resolve()));

const code = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
    return "written";
  } catch (error) {
    return error instanceof MageFlowError ? error.code : String(error);
  }
};

const small = mage.task("small", () => null);

mage.task("long", async (_input: unknown, ctx) => {
  const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
  const row = { pid: process.pid, id, generation, attempt, epoch, key };
  ledger.add({ what: "start", ...row });
  say(`entered ${epoch}`);
  if (epoch > 1) {
    await finish;
    const step = await ctx.step("step", () => epoch);
    ledger.add({ what: "end", ...row });
    return { epoch, step, checkpointed: ctx.checkpointed };
  }
  ctx.log.info("the first epoch was here");
  await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
  say(`aborted ${(ctx.signal.reason as MageFlowError).name}`);
  ctx.log.info("the first epoch is still here");
  const writes = {
    progress: await code(() => ctx.progress(0.9)),
    checkpoint: await code(() => ctx.checkpoint({ epoch })),
    step: await code(() => ctx.step("step", () => epoch)),
    run: await code(() => ctx.run(chain([small]))),
  };
  say(`writes ${JSON.stringify(writes)}`);
  return { epoch };
});
mage.task("note", (_input: unknown, ctx) => {
  const { id, generation, attempt, epoch, idempotencyKey: key, cause } = ctx;
  const told = cause === null ? {} : { cause: { id: cause.id, outcome: cause.outcome } };
  ledger.add({ what: "end", pid: process.pid, id, generation, attempt, epoch, key, ...told });
});

await mage.worker({ lease: lease as Duration, heartbeat: heartbeat as Duration });
say("ready");
