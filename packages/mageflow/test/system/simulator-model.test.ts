import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LifecycleModel, type ModelNode, ModelStage, type Shape } from "../../src/testing/simulator/index.ts";

/** `MODEL_RUNS=20000 MODEL_COMMANDS=200` for a long run. */
const RUNS = Number(process.env["MODEL_RUNS"] ?? 250);
const COMMANDS = Number(process.env["MODEL_COMMANDS"] ?? 40);

type Command = fc.AsyncCommand<LifecycleModel, ModelStage>;

/** Draws a node among those that fit, by a number that shrinks. */
function among(
  { roots }: Pick<LifecycleModel, "roots">,
  which: number,
  fits: (node: ModelNode) => boolean,
): ModelNode | undefined {
  const nodes = roots.flatMap((root) => [...root.all()]).filter(fits);
  return nodes[which % nodes.length];
}

function command(
  text: string,
  which: number,
  fits: (node: ModelNode) => boolean,
  run: (model: LifecycleModel, stage: ModelStage, node: ModelNode) => Promise<void>,
): Command {
  return {
    check: (model) => among(model, which, fits) !== undefined,
    run: async (model, stage) => {
      await run(model, stage, among(model, which, fits)!);
      same(model, stage);
    },
    toString: () => `${text}(${which})`,
  };
}

function same(model: LifecycleModel, stage: ModelStage): void {
  const { records } = stage.world.shadow;
  const expected = Object.fromEntries(model.nodes().map(({ id, status }) => [id, status]));
  const real = Object.fromEntries([...records.values()].map(({ id, status }) => [id, status]));
  assert.deepEqual(stage.world.violations, []);
  assert.deepEqual(real, expected);
}

const attached = {
  success: fc.boolean(),
  error: fc.boolean(),
  cleanups: fc.constantFrom(0, 0, 0, 1, 2),
};

const task = fc.record({
  kind: fc.constant("task" as const),
  attempts: fc.constantFrom(1, 1, 2),
  ...attached,
});

const { shape } = fc.letrec<{ shape: Shape; container: Shape }>((tie) => ({
  shape: fc.oneof({ maxDepth: 3, withCrossShrink: true }, task, tie("container")),
  container: fc.record({
    kind: fc.constantFrom("chain" as const, "swarm" as const),
    children: fc.array(tie("shape"), { minLength: 1, maxLength: 4 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    limit: fc.constantFrom(null, null, 0, 1),
    open: fc.boolean(),
    ...attached,
  }),
}));

const which = fc.nat({ max: 60 });
const isRunning = ({ shape: { kind }, status }: ModelNode): boolean =>
  kind === "task" && status === "RUNNING";
const isSwarm = (node: ModelNode): boolean => node.shape.kind === "swarm";

const submit = shape.map((given): Command => ({
  check: ({ roots }) => roots.length < 3,
  run: async (model, stage) => {
    const { value } = await stage.submit(given);
    model.submit(value!, given);
    same(model, stage);
  },
  toString: () => `submit(${JSON.stringify(given)})`,
}));

const finish = fc.tuple(which, fc.boolean(), fc.boolean()).map(([n, a, b]) =>
  command(`finish ${a || b ? "well" : "badly"}`, n, isRunning, async (model, stage, node) => {
    await stage.finish(node.id, a || b);
    model.finish(node, a || b);
  }),
);

const suspend = which.map((n) =>
  command(
    "suspend",
    n,
    () => true,
    async (model, stage, node) => {
      const { code } = await stage.tell(node.id, (run) => run.suspend());
      assert.equal(code ?? null, model.suspend(node));
    },
  ),
);

const resume = which.map((n) =>
  command(
    "resume",
    n,
    (node) => node.status === "SUSPENDED" || n % 5 === 0,
    async (model, stage, node) => {
      stage.world.shadow.resumed.add(node.id);
      const { code } = await stage.tell(node.id, (run) => run.resume());
      assert.equal(code ?? null, model.resume(node));
    },
  ),
);

const add = fc.tuple(which, task).map(([n, given]) =>
  command("add", n, isSwarm, async (model, stage, node) => {
    const { code } = await stage.tell(node.id, (run) => run.addTasks([stage.plan(given)] as never));
    assert.equal(code ?? null, model.addItem(node, given));
  }),
);

const close = which.map((n) =>
  command("close", n, isSwarm, async (model, stage, node) => {
    await stage.tell(node.id, (run) => run.close());
    model.close(node);
  }),
);

const pass = fc.constant(
  command(
    "time passes",
    0,
    () => true,
    async (model, stage) => {
      await stage.pass();
      model.pass();
    },
  ),
);

const crash = fc.constant(
  command(
    "crash",
    0,
    () => true,
    async (model, stage) => {
      await stage.crash();
      model.crash();
    },
  ),
);

test(`${RUNS} random histories go as the sequential model says`, async () => {
  const commands = fc.commands([submit, finish, finish, finish, suspend, resume, add, close, pass, crash], {
    maxCommands: COMMANDS,
    size: "max",
  });
  const run = fc.assert(
    fc.asyncProperty(commands, fc.nat(), async (history, seed) => {
      await fc.asyncModelRun(() => ({ model: new LifecycleModel(), real: new ModelStage(seed) }), history);
    }),
    { numRuns: RUNS },
  );
  await expect(run).resolves.toBeUndefined();
});
