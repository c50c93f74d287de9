import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow, type TaskContext } from "mageflow";

/**
 * Runs each bad handler once, among healthy ones, in one worker, and prints what became of all.
 * What a handler throws here is on purpose of every kind.
 */
const [store] = process.argv.slice(2);
const mage = new MageFlow({ store: store! });
const entered = new Map<string, number>();

function circular(): Error {
  const error = new Error("its cause is itself");
  error.cause = error;
  return error;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

function throwing(thrown: unknown): never {
  // oxlint-disable-next-line typescript/only-throw-error
  throw thrown;
}

/** Never settles; it can be told to stop only by its time-out. */
const NEVER = new Promise<never>(() => {});
const EXPLOSIVE = {
  get() {
    throw new Error("a trap of the proxy");
  },
  getPrototypeOf() {
    throw new Error("a trap of the proxy");
  },
} satisfies ProxyHandler<object>;

const HANDLERS: { readonly [name: string]: (ctx: TaskContext) => unknown } = {
  strayRejection: async () => {
    void Promise.reject(new Error("nobody handles this"));
    await sleep(50);
  },
  throwInTimer: async () => {
    setTimeout(() => throwing(new Error("from a timer")), 5);
    await sleep(100);
  },
  throwInImmediate: () => new Promise(() => setImmediate(() => throwing(new Error("from an immediate")))),
  throwInEmitter: async () => {
    const emitter = new EventEmitter();
    emitter.on("tick", () => throwing(new Error("from a listener")));
    setTimeout(() => emitter.emit("tick"), 5);
    await sleep(100);
  },
  unheardError: async () => {
    setTimeout(() => new EventEmitter().emit("error", new Error("nobody listens to this")), 5);
    await sleep(100);
  },
  exit: () => process.exit(),
  exitLater: async () => {
    setTimeout(() => process.exit(3), 5);
    await sleep(100);
  },
  throwNull: () => throwing(null),
  throwUndefined: () => throwing(undefined),
  throwProxy: () => throwing(new Proxy({}, EXPLOSIVE)),
  throwProxyOfError: () => throwing(new Proxy(new Error("inside"), EXPLOSIVE)),
  throwFunction: () => throwing(() => 1),
  throwSymbol: () => throwing(Symbol("thrown")),
  throwAfterReturn: () => {
    void (async () => {
      await sleep(5);
      throw new Error("after it had returned");
    })();
    return "returned";
  },
  rejectingThenable: () => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error("from a thenable")),
  }),
  throwingThenable: () => ({
    // oxlint-disable-next-line unicorn/no-thenable
    get then(): never {
      throw new Error("from its then");
    },
  }),
  twiceThenable: () => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then: (resolve: (value: string) => void, reject: (error: Error) => void) => {
      resolve("once");
      resolve("twice");
      reject(new Error("thrice"));
    },
  }),
  throwingGetter: () =>
    throwing(
      Object.defineProperty(new Error("x"), "message", {
        get: () => throwing(new Error("from its message")),
      }),
    ),
  circularCause: () => throwing(circular()),
  returnProxy: () => new Proxy({ fine: true }, {}),
  returnExplosive: () => new Proxy({}, EXPLOSIVE),
  neverSettles: () => NEVER,
  returnBigInt: () => ({ amount: 1n }),
  returnDeep: () => deep(100),
  returnBottomless: () => deep(100_000),
  returnHuge: () => "x".repeat(5_000_000),
  returnFunction: () => () => 1,
  throwHuge: () => throwing(new Error("y".repeat(5_000_000))),
  throwNul: () => throwing(new Error("a NUL \0 and half a pair \ud800")),
  stepInVain: async (ctx) => {
    void ctx.step("stray", () => throwing(new Error("in a step that nobody awaits")));
    await sleep(50);
  },
  deferProxy: (ctx) => {
    ctx.defer(() => throwing(new Proxy({}, EXPLOSIVE)));
    return "deferred";
  },
  logProxy: (ctx) => {
    ctx.log.info("hostile fields", new Proxy({}, EXPLOSIVE));
    return "logged";
  },
  throwWhenAborted: (ctx) => {
    ctx.signal.addEventListener("abort", () => throwing(new Error("from a listener of its signal")));
    return NEVER;
  },
  /** What it starts is run by the same worker, and fails by itself. */
  startsThrower: async (ctx) => {
    const started = await ctx.run(thrower, undefined);
    return (await started.settled()).status;
  },
  progressWrong: (ctx) => ctx.progress(7),
};

const thrower = mage.task("started", { timeout: "100ms" }, (_input: unknown, ctx: TaskContext) =>
  HANDLERS["throwWhenAborted"]!(ctx),
);
const note = mage.task("note", (_input: unknown, ctx) => ctx.cause!.outcome);
const bad = Object.entries(HANDLERS).map(([name, handler]) =>
  mage.task(
    name,
    { timeout: name === "neverSettles" || name === "throwWhenAborted" ? "200ms" : "20s" },
    (_input: unknown, ctx) => {
      entered.set(name, (entered.get(name) ?? 0) + 1);
      return handler(ctx);
    },
  ),
);
const healthy = mage.task("healthy", async ({ ms }: { ms: number }) => {
  await sleep(ms);
  return "well";
});

const worker = await mage.worker({ grace: "200ms" });
const session = worker.id;
const bystanders = await Promise.all(Array.from({ length: 20 }, (_, i) => mage.run(healthy, { ms: 20 * i })));
const runs = await Promise.all(
  bad.map((plan) => mage.run(plan.onSuccess(note).onError(note).onCleanup(note))),
);
const outcomes = [];
for (const run of runs) {
  const { status, result, error } = await run.settled();
  const view = await run.view();
  outcomes.push({
    name: view.name,
    status,
    result,
    error:
      error === undefined
        ? null
        : { name: error.name, code: error.code, message: error.message.slice(0, 400) },
    attempt: view.attempt,
    recoveries: view.recoveries,
    entered: entered.get(view.name),
    callbacks: (await run.callbacks()).items.map(({ role, status: how }) => `${role} ${how}`),
  });
}
const well = await Promise.all(bystanders.map((run) => run.result()));
const sessions = (await mage.workers()).map(({ id, endedAt }) => ({
  same: id === session,
  ended: endedAt !== null,
}));
process.stdout.write(`outcomes ${JSON.stringify(outcomes)}\n`);
process.stdout.write(`bystanders ${JSON.stringify(well)}\n`);
process.stdout.write(`sessions ${JSON.stringify(sessions)}\n`);
await mage.close();
process.stdout.write("closed\n");
// Otherwise the handler that never settles is all that is left, and Node warns of it.
process.exit(0);
