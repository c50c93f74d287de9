import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { parentPort, threadId } from "node:worker_threads";
import { MageFlow, type TaskContext, TerminalError } from "mageflow";
import { z } from "zod";

/** A worker whose tasks run in threads and in processes, and how each of them misbehaves. Arguments: store, concurrency. */
const [store, concurrency = "30"] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });

const child = mage.task("child", ({ n }: { n: number }) => n + 1);
const failingPlan = mage.task("failing", () => {
  throw new Error("it fails");
});
mage.task("healthy", () => process.pid);
const release = mage.task("release", (input: object) => ({ ...input, pid: process.pid }));

/** Waits until its signal aborts, and throws the reason. */
function obedient({ signal }: TaskContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error));
    // A thread in which nothing waits for anything ends.
    setInterval(() => {}, 60_000);
  });
}

for (const isolation of ["thread", "process"] as const) {
  const where = { isolation, module: import.meta.url, concurrency: 4 } as const;
  const name = (what: string): string => `${what} in a ${isolation}`;

  mage.task(name("loop without checks"), where, () => {
    // oxlint-disable-next-line unicorn/no-new-array -- it is what V8 compiles so.
    for (;;) new Array(1_000).fill(1);
  });
  for (const loop of ["loop", "other loop"]) {
    mage.task(name(loop), where, async (_input, ctx) => {
      ctx.defer(() => ctx.log.info("deferred"));
      await ctx.progress(0, String(process.pid));
      for (;;);
    });
  }
  mage.task(name("memory"), { ...where, maxMemoryMb: 64 }, () => {
    const all = [];
    // oxlint-disable-next-line unicorn/no-new-array -- as above.
    for (;;) all.push(new Array(1_000).fill(1));
  });
  mage.task(name("exit"), where, () => process.exit(3));
  mage.task(name("stray"), where, async () => {
    setTimeout(() => {
      throw new RangeError("from a timer");
    }, 5);
    await sleep(100);
  });
  mage.task(name("obedient"), where, async (_input, ctx) => {
    await ctx.progress(0, "waits");
    try {
      return await obedient(ctx);
    } catch (error) {
      const { name: kind, code, message } = error as Error & { code: string };
      ctx.log.info("told to stop", { kind, code, message });
      throw error;
    }
  });
  mage.task(name("late"), where, async (_input, ctx) => {
    await ctx.progress(0, "waits");
    try {
      return await obedient(ctx);
    } finally {
      await sleep(130);
    }
  });
  mage.task(name("tidying"), where, async ({ ledger }: { ledger: string }, ctx) => {
    ctx.defer(async () => {
      await sleep(150);
      appendFileSync(ledger, "deferred\n");
    });
    await ctx.progress(0, "waits");
    try {
      return await obedient(ctx);
    } catch (error) {
      appendFileSync(ledger, `${(error as Error).name}\n`);
      throw error;
    }
  });
  mage.task(name("context"), where, async (input, ctx) => {
    ctx.defer(() => ctx.log.info("deferred", { attempt: ctx.attempt }));
    const step = await ctx.step("once", () => ({ by: ctx.attempt, of: { deep: [1, -0] } }));
    const before = ctx.checkpointed;
    await ctx.checkpoint({ attempt: ctx.attempt });
    await ctx.progress(ctx.attempt / 4, `attempt ${ctx.attempt}`);
    if (ctx.attempt < 3) throw new Error("again");
    const run = await ctx.run(child, { n: 1 }, { tags: ["started"] });
    const failing = await ctx.run(failingPlan);
    const refused = await failing.result().catch((error: Error & { code: string; id: string }) => ({
      name: error.name,
      code: error.code,
      id: error.id === failing.id,
      cause: (error.cause as Error).message,
    }));
    const unfit = await ctx
      .run(child, { n: 1 }, { priority: 0.5 })
      .catch((error: Error & { code: string }) => error.code);
    const uncloneable = await ctx
      .run(child, { n: 1 }, { tags: (() => {}) as never })
      .catch((error: Error & { code: string }) => error.code);
    const later = await ctx.run(child, { n: 1 }, { delay: "1h" });
    await later.suspend();
    const [first] = await Promise.all([run.result(), run.settled({ timeout: "10s" })]);
    return {
      input,
      step,
      before,
      started: first,
      status: (await run.status()).status,
      later: (await later.status()).status,
      refused,
      unfit,
      uncloneable,
      events: attemptOf(() => run.events()),
      id: ctx.id,
      key: ctx.idempotencyKey,
      generation: ctx.generation,
      epoch: ctx.epoch,
      signature: ctx.signature,
      cause: ctx.cause,
      elsewhere: isolation === "thread" ? threadId > 0 : process.pid !== ctx.signature.metadata["pid"],
    };
  });
  mage.task(name("holding"), where, async (_input, ctx) => {
    await ctx.resource("tmp", { by: "a plan", attempt: ctx.attempt }, release.with({ in: isolation }));
    await ctx.resource("lock", { by: "a plan" }, release);
    const refused = await ctx
      .resource("none", {}, {} as never)
      .catch((error: { code: string }) => error.code);
    await ctx.resource("held", refused, (held) => ctx.log.info("released", { held }));
    if (ctx.attempt < 3) throw new Error("again");
    for (;;);
  });
  mage.task(name("cause"), where, (_input, { cause }) => cause);
  mage.task(
    name("schemas"),
    { ...where, input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }) },
    ({ at }) => ({ year: at.getUTCFullYear() }),
  );
  mage.task(name("misfit"), { ...where, output: z.object({ n: z.int() }) }, () => ({
    n: 0.5,
  }));
  mage.task(name("terminal"), where, () => {
    throw new TerminalError("hopeless", { cause: Object.assign(new RangeError("why"), { code: "E_WHY" }) });
  });
  mage.task(name("custom"), where, () => {
    throw Object.assign(new TypeError("mine"), { code: "E_MINE", name: "MineError" });
  });
  mage.task(name("who"), where, here);
  // One at a time, so that the next one gets what is left.
  const alone = { ...where, concurrency: 1 };
  mage.task(name("leaving"), alone, ({ what }: { what: string }) => {
    LEAVE[what]!();
    return here();
  });
  mage.task(name("tidy"), alone, async (_input, ctx) => {
    const server = createServer((socket) => void socket.end()).listen(0);
    await once(server, "listening");
    await once(connect((server.address() as AddressInfo).port).resume(), "close");
    server.close();
    await readFile(new URL(import.meta.url));
    await promisify(execFile)("true");
    clearTimeout(setTimeout(() => {}, 60_000));
    console.log("tidy");
    await ctx.progress(1);
    return here();
  });
  mage.task(name("sending"), alone, () => {
    // A service manager may want to hear of it (pm2 does).
    const send = (message: unknown): void =>
      void (parentPort === null ? process.send!(message) : parentPort.postMessage(message));
    for (const message of ["ready", 5, { type: "over" }, { mageflow: null }, { mageflow: 5 }]) send(message);
    return here();
  });
  mage.task(name("changing"), where, () => {
    Object.assign(globalThis, { changed: true });
    process.env["CHANGED"] = "true";
  });
  mage.task(name("looking"), where, () => ["changed" in globalThis, process.env["CHANGED"] ?? null]);
  mage.task(name("runs itself"), where, async () => {
    await mage.run(child, { n: 1 });
  });
  const elsewhere = (file: string): string => new URL(file, import.meta.url).href;
  mage.task(name("not found"), { ...where, module: elsewhere("../program.ts") }, () => 0);
  mage.task(name("unguarded"), { ...where, module: elsewhere("unguarded.ts") }, () => 0);
}
mage.task("abort", { isolation: "process", module: import.meta.url }, () => process.abort());
mage.task("kill", { isolation: "process", module: import.meta.url }, async () => {
  process.kill(process.pid, "SIGKILL");
  await sleep(10_000);
});

/** The thread or process in which this runs. */
function here(): string {
  return `${process.pid}/${threadId}`;
}

function endless(): never {
  for (;;);
}

/** What a task may leave behind when it returns. */
const LEAVE: Readonly<Record<string, () => void>> = {
  loop: () => void setTimeout(endless, 40),
  exit: () => void setTimeout(() => process.exit(7), 50),
  throw: () =>
    void setTimeout(() => {
      throw new Error("late");
    }, 50),
  immediate: () => void setImmediate(endless),
  tick: () => process.nextTick(endless),
  listener: () => void process.on("beforeExit", () => {}),
  child: () => void spawn("sleep", ["1"]),
  server: () => void createServer().listen(0),
};

function attemptOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

if (import.meta.main) {
  const worker = await mage.worker({
    concurrency: Number(concurrency),
    lease: "1s",
    heartbeat: "200ms",
    grace: "300ms",
  });
  process.stdout.write("ready\n");
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "running") process.stdout.write(`running ${worker.running} ${worker.abandoned}\n`);
    if (line === "stop") break;
  }
  await worker.stop();
  await mage.close();
  process.stdout.write("closed\n");
  process.stdin.destroy();
}
