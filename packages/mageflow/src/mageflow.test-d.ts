import * as v from "valibot";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import {
  type AnyPlan,
  chain,
  type NeedsOf,
  type OutputOf,
  type Run,
  swarm,
  type SwarmResult,
  type TaskContext,
} from "./index.ts";
import { MageFlow } from "./mageflow.ts";

const mage: MageFlow = new MageFlow();

// --- tasks: the plan takes the schema's input and gives its output, the function the other way round

const zod = mage.task(
  "zod",
  {
    input: z.object({ day: z.iso.date(), limit: z.int().default(10), at: z.string().transform(Number) }),
    output: z.object({ rows: z.int().transform(String) }),
  },
  async (input, ctx) => {
    expectTypeOf(input).toEqualTypeOf<{ day: string; limit: number; at: number }>();
    expectTypeOf(ctx).toEqualTypeOf<TaskContext>();
    return { rows: 3 };
  },
);
expectTypeOf<NeedsOf<typeof zod>>().toEqualTypeOf<{ day: string; limit?: number | undefined; at: string }>();
expectTypeOf<OutputOf<typeof zod>>().toEqualTypeOf<{ rows: string }>();

const valibot = mage.task(
  "valibot",
  {
    input: v.object({ n: v.pipe(v.string(), v.transform(Number)), unit: v.optional(v.string(), "kg") }),
    output: v.object({ ok: v.boolean() }),
  },
  (input) => {
    expectTypeOf(input).toEqualTypeOf<{ n: number; unit: string }>();
    return { ok: input.n > 0 };
  },
);
expectTypeOf<NeedsOf<typeof valibot>>().toEqualTypeOf<{ n: string; unit?: string | undefined }>();
expectTypeOf<OutputOf<typeof valibot>>().toEqualTypeOf<{ ok: boolean }>();

mage.task(
  "wrong result",
  { input: z.object({}), output: z.object({ n: z.number() }) },
  // @ts-expect-error -- the result does not fit the output schema
  () => ({ n: "1" }),
);

const inputOnly = mage.task("input only", { input: z.object({ a: z.string() }) }, ({ a }) => [a]);
expectTypeOf<OutputOf<typeof inputOnly>>().toEqualTypeOf<string[]>();
const outputOnly = mage.task("output only", { output: z.array(z.string()) }, (input: { a: number }) => [
  `${input.a}`,
]);
expectTypeOf<NeedsOf<typeof outputOnly>>().toEqualTypeOf<{ a: number }>();
expectTypeOf<OutputOf<typeof outputOnly>>().toEqualTypeOf<string[]>();

// --- tasks without a schema: the types of the function, unchecked at run time

const bare = mage.task("bare", async (input: { a: string; b?: number }) => input.a.length);
expectTypeOf<NeedsOf<typeof bare>>().toEqualTypeOf<{ a: string; b?: number }>();
expectTypeOf<OutputOf<typeof bare>>().toEqualTypeOf<number>();
const nothing = mage.task("nothing", { retry: { attempts: 2 } }, async () => {});
expectTypeOf<NeedsOf<typeof nothing>>().toEqualTypeOf<unknown>();
expectTypeOf<OutputOf<typeof nothing>>().toEqualTypeOf<null>();
const perhaps = mage.task("perhaps", (input: { a: string }) => (input.a === "" ? undefined : input.a));
expectTypeOf<OutputOf<typeof perhaps>>().toEqualTypeOf<string | null>();

// @ts-expect-error -- no such option
mage.task("option", { retries: 3 }, () => 1);
// @ts-expect-error -- not a duration
mage.task("duration", { timeout: "soon" }, () => 1);

// --- schemas fit each other over the libraries

chain([zod, valibot.with({ n: "1" })]);
// @ts-expect-error -- `n` is open
chain([zod, valibot]);
// @ts-expect-error -- valibot's input, not its output
valibot.with({ n: 1 });

// --- run: a message where the input is not complete

const message: Run<{ rows: string }> = await mage.run(zod, { day: "2026-01-01", at: "1" });
expectTypeOf(await message.result()).toEqualTypeOf<{ rows: string }>();
expectTypeOf((await message.settled()).result).toEqualTypeOf<{ rows: string } | undefined>();
await mage.run(zod.with({ day: "2026-01-01", at: "1" }));
await mage.run(zod.with({ day: "2026-01-01", at: "1" }), { limit: 3 }, { key: "once" });
await mage.run(zod.with({ day: "2026-01-01", at: "1" }), undefined, { key: "once" });
await mage.run(nothing);
await mage.run(nothing, { anything: 1 });
await mage.run(chain([nothing, nothing]));
const length = mage.task("length", (list: number[]) => list.length);
await mage.run(length, [1, 2]);
// @ts-expect-error -- the step gets `{ result: [1, 2] }`
await mage.run(chain([length]), [1, 2]);
// @ts-expect-error -- and so does every item
await mage.run(swarm([length]), [1, 2]);
await mage.run(chain([zod, valibot.with({ n: "1" })]), { day: "2026-01-01", at: "1" });
await mage.run(swarm([zod]).with({ day: "2026-01-01" }), { at: "1" });

// @ts-expect-error -- the input is not complete
await mage.run(zod);
// @ts-expect-error -- `at` is open
await mage.run(zod.with({ day: "2026-01-01" }), {});
// @ts-expect-error -- of the wrong type
await mage.run(zod, { day: "2026-01-01", at: 1 });
// @ts-expect-error -- of the wrong type, though not needed
await mage.run(zod.with({ day: "2026-01-01", at: "1" }), { limit: "3" });
// @ts-expect-error -- the first step's input
await mage.run(chain([zod, valibot.with({ n: "1" })]));
// @ts-expect-error -- an item's input
await mage.run(swarm([zod]));
// @ts-expect-error -- no such option
await mage.run(nothing, {}, { idempotencyKey: "once" });
// @ts-expect-error -- a plan
await mage.run(() => 1);

// Of a plan that nothing is known of, the input may be complete or not.
const unknownPlan: AnyPlan = zod;
await mage.run(unknownPlan);
await mage.run(swarm([unknownPlan]), { day: "2026-01-01" }, { key: "k" });

// --- results

expectTypeOf(await (await mage.run(chain([nothing, outputOnly.with({ a: 1 })]))).result()).toEqualTypeOf<
  string[]
>();
const items = await (await mage.run(swarm([bare.with({ a: "x" })]))).result();
expectTypeOf(items).toEqualTypeOf<SwarmResult<number>>();
expectTypeOf(items.results?.[0]?.result).toEqualTypeOf<number | undefined>();
expectTypeOf(await (await mage.create(zod)).result()).toEqualTypeOf<{ rows: string }>();
expectTypeOf(await mage.get("id")).toEqualTypeOf<Run>();
expectTypeOf(await (await mage.get<number>("id")).result()).toEqualTypeOf<number>();
const added = await message.addTaskAndRun(bare.with({ a: "x" }));
expectTypeOf(await added.result()).toEqualTypeOf<number>();

// --- inside a task

mage.task("inside", async (_input, ctx) => {
  expectTypeOf(await ctx.step("one", () => ({ n: 1 }))).toEqualTypeOf<{ n: number }>();
  expectTypeOf(await ctx.step("two", async () => "a")).toEqualTypeOf<string>();
  expectTypeOf(await (await ctx.run(bare, { a: "x" })).result()).toEqualTypeOf<number>();
  // @ts-expect-error -- the input is not complete
  await ctx.run(bare);
  expectTypeOf(ctx.cause?.outcome).toEqualTypeOf<"success" | "error" | "interrupt" | "cancel" | undefined>();
});

// --- literal results need no `as const`

const state = z.object({ state: z.enum(["on", "off"]) });
mage.task("literal without parameters", { output: state }, () => ({ state: "on" }));
mage.task("literal", { input: state, output: state }, async (input) => ({
  state: input.state === "on" ? "off" : "on",
}));
// @ts-expect-error -- not one of them
mage.task("no such literal", { output: state }, async () => ({ state: "broken" }));
const lists = z.object({
  list: z.array(z.object({ kind: z.literal("a"), n: z.number().optional() })),
  pair: z.tuple([z.number(), z.number()]),
});
mage.task("lists", { output: lists }, () => ({ list: [{ kind: "a" }], pair: [1, 2] }));
mage.task("lists awaited", { output: lists }, async (input: { n: number }) => {
  await Promise.resolve();
  const list = [{ kind: "a" as const, n: input.n }];
  if (input.n > 1) return { list: [], pair: [1, 2] };
  return { list, pair: [input.n, 2] };
});
