import { expectTypeOf } from "vitest";
import type { AnyPlan, InputOf, NeedsOf, OutputOf } from "./flow.ts";
import { chain, type ContainerPlan, swarm, type TaskPlan } from "./plans.ts";
import type { SwarmResult } from "./result.ts";

/** A task with this input and result. */
type Task<I, O> = TaskPlan<I, O, I>;
type Nothing = Record<never, never>;

declare const extract: Task<{ file: string }, { rows: number[]; name: string }>;
declare const sum: Task<{ rows: number[]; round?: boolean }, number>;
declare const say: Task<{ result: number; to: string }, null>;
declare const list: Task<{ folder: string }, string[]>;
declare const count: Task<{ result: string[] }, { total: number }>;
declare const none: Task<unknown, null>;
declare const any: Task<unknown, { ok: boolean }>;
declare const deep: Task<{ from: { host: string; port: number }; tags: string[] }, null>;
declare const optional: Task<{ limit?: number }, null>;
declare const maybe: Task<{ file: string }, { rows: number[] } | null>;

// --- with

expectTypeOf(extract.with({ file: "a" })).toEqualTypeOf<
  TaskPlan<Nothing, { rows: number[]; name: string }, { file: string }>
>();
expectTypeOf<NeedsOf<typeof extract>>().toEqualTypeOf<{ file: string }>();
const host = deep.with({ from: { host: "h" } });
expectTypeOf<NeedsOf<typeof host>>().toEqualTypeOf<{ from: { port: number }; tags: string[] }>();
const both = host.with({ from: { port: 1 } });
expectTypeOf<NeedsOf<typeof both>>().toEqualTypeOf<{ tags: string[] }>();
const unset = extract.with({ file: undefined });
expectTypeOf<NeedsOf<typeof unset>>().toEqualTypeOf<{ file: string }>();
// Binding again is allowed: the later one wins.
expectTypeOf<NeedsOf<ReturnType<typeof again>>>().toEqualTypeOf<Nothing>();
const again = () => extract.with({ file: "a" }).with({ file: "b" });

// @ts-expect-error -- an unknown key
extract.with({ fyle: "a" });
// @ts-expect-error -- a wrong type
extract.with({ file: 1 });
// @ts-expect-error -- a wrong type further in
deep.with({ from: { port: "80" } });
// @ts-expect-error -- an unknown key further in
deep.with({ from: { name: "h" } });
// @ts-expect-error -- an array of the wrong type
deep.with({ tags: [1] });
none.with({ anything: ["goes"] });

// --- chain: steps

expectTypeOf(chain([extract, sum])).toEqualTypeOf<
  ContainerPlan<{ file: string }, number, { file: string }>
>();
// A bound input completes what the step before does not give; a missing optional field does not matter.
chain([extract, sum, say.with({ to: "me" })]);
chain([extract, sum.with({ round: true })]);
// Anything but an object comes in under `result`: arrays, numbers, nothing.
chain([list, count]);
chain([say, none, any]);
chain([extract, optional]);
chain([none, extract.with({ file: "a" })]);
chain([extract, chain([sum, none]), any]);

// @ts-expect-error -- `to` is open
chain([extract, sum, say]);
// @ts-expect-error -- a number where `rows` is needed
chain([sum, sum]);
// @ts-expect-error -- an array comes in under `result`
chain([list, sum]);
// @ts-expect-error -- nothing comes in as null, under `result`
chain([none, say.with({ to: "me" })]);
// @ts-expect-error -- the result may be null
chain([maybe, sum]);
// @ts-expect-error -- the first step of a nested chain
chain([list, chain([sum, none])]);
// @ts-expect-error -- every item of a nested swarm
chain([extract, swarm([sum, extract])]);
// @ts-expect-error -- not a plan
chain([extract, () => 1]);
// @ts-expect-error -- an optional field of another type
chain([declared<Task<unknown, { limit: string }>>(), optional]);

declare function declared<T>(): T;

// A list whose length is not known is a chain of any of them.
const steps = [none, any];
expectTypeOf<OutputOf<ReturnType<typeof loose>>>().toEqualTypeOf<{ ok: boolean } | null>();
const loose = () => chain(steps);

// A plan that nothing is known of fits as a step.
chain([extract, declared<AnyPlan>(), declared<AnyPlan>()]);

// --- chain: as a whole

const etl = chain([extract, sum]);
expectTypeOf<InputOf<typeof etl>>().toEqualTypeOf<{ file: string }>();
const bound = etl.with({ file: "a" });
expectTypeOf<NeedsOf<typeof bound>>().toEqualTypeOf<Nothing>();
// @ts-expect-error -- the chain's input is that of its first step
etl.with({ rows: [1] });

// --- callbacks

// Success: with the result.
extract.onSuccess(sum).onSuccess(any);
list.onSuccess(count);
etl.onSuccess(say.with({ to: "me" }));
// @ts-expect-error -- `to` is open
etl.onSuccess(say);
// @ts-expect-error -- the result has no `file`
extract.onSuccess(extract);
// Error and cleanup: with the input.
extract.onError(list.with({ folder: "a" })).onCleanup(extract);
etl.onError(extract).onCleanup(none);
extract.onError(chain([extract, sum]));
extract.onCleanup(swarm([extract, extract]));
// @ts-expect-error -- the input has no `rows`
extract.onError(sum);
// @ts-expect-error -- the input has no `rows`
extract.onCleanup(sum);
// @ts-expect-error -- of a chain, the input of the chain
etl.onError(sum);
// A bound input is in the input of the callback too.
extract.with({ file: "a" }).onError(extract);
// Callbacks keep the plan's type.
expectTypeOf(
  extract.onSuccess(any).onError(any).onCleanup(any).options({ priority: 1 }).keyed("k"),
).toEqualTypeOf<typeof extract>();

// --- swarm

const sums = swarm([sum, sum.with({ round: true })]);
expectTypeOf<OutputOf<typeof sums>>().toEqualTypeOf<SwarmResult<number>>();
expectTypeOf<NeedsOf<typeof sums>>().toEqualTypeOf<{ rows: number[]; round?: boolean }>();
expectTypeOf<NeedsOf<ReturnType<typeof filled>>>().toEqualTypeOf<{ round?: boolean }>();
const filled = () => sums.with({ rows: [1] });
// Of items that differ, all needs have to be met, and the results are a union.
const mixed = swarm([sum, extract]);
expectTypeOf<OutputOf<typeof mixed>>().toEqualTypeOf<
  SwarmResult<number | { rows: number[]; name: string }>
>();
expectTypeOf<keyof NeedsOf<typeof mixed>>().toEqualTypeOf<"rows" | "round" | "file">();
// Any iterable, a function that returns one, and none at all.
swarm(new Set([sum]));
swarm(function* () {
  for (let i = 0; i < 3; i++) yield sum.with({ rows: [i] });
});
// Of an open one without items, nothing is known of those to come.
const empty = swarm([], { open: true, onItemSuccess: sum });
expectTypeOf<OutputOf<typeof empty>>().toEqualTypeOf<SwarmResult<unknown>>();
expectTypeOf<NeedsOf<typeof empty>>().toEqualTypeOf<unknown>();
expectTypeOf<OutputOf<ReturnType<typeof open>>>().toEqualTypeOf<SwarmResult<number>>();
const open = () => swarm<typeof sum>([], { open: true });

swarm([extract], { onItemSuccess: sum, onItemError: extract, onItemCleanup: none });
swarm([extract, none], { onItemSuccess: any });
// @ts-expect-error -- an item's result has no `file`
swarm([extract], { onItemSuccess: extract });
// @ts-expect-error -- an item's input has no `rows`
swarm([extract], { onItemError: sum });
// @ts-expect-error -- an item's input has no `rows`
swarm([extract], { onItemCleanup: sum });
// @ts-expect-error -- not every item gives `rows`
swarm([extract, list], { onItemSuccess: sum });
// @ts-expect-error -- not plans
swarm([1, 2]);
// @ts-expect-error -- no such option
swarm([extract], { parallel: 3 });

// A swarm's result goes on as an object.
chain([sums, declared<Task<SwarmResult<number>, null>>()]);
// @ts-expect-error -- its items are left out when they are many or large
chain([sums, declared<Task<{ results: readonly unknown[] }, null>>()]);
// @ts-expect-error -- of other items
chain([sums, declared<Task<SwarmResult<string>, null>>()]);

// --- what takes anything but an object

declare const length: Task<number[], number>;
// @ts-expect-error -- nothing that the chain is given comes in as an array
chain([none, chain([length])]);
// @ts-expect-error -- nor what the swarm is given
chain([list, swarm([length])]);
// @ts-expect-error -- nor what is bound to it
chain([length]).with([1]);
chain([list, swarm([count])]);

// --- nested

const nested = chain([
  list,
  count,
  swarm([chain([none, any]), any]),
  declared<Task<{ results?: readonly { result?: { ok: boolean } }[] }, string>>(),
]);
expectTypeOf<OutputOf<typeof nested>>().toEqualTypeOf<string>();
expectTypeOf<NeedsOf<typeof nested>>().toEqualTypeOf<{ folder: string }>();
const swarmOfChains = swarm([1, 2].map((n) => etl.with({ file: `${n}` }).keyed(`${n}`)));
expectTypeOf<OutputOf<typeof swarmOfChains>>().toEqualTypeOf<SwarmResult<number>>();
expectTypeOf<NeedsOf<typeof swarmOfChains>>().toEqualTypeOf<Nothing>();

// --- options

// @ts-expect-error -- not a duration
extract.options({ delay: "5 seconds" });
// @ts-expect-error -- not JSON
extract.options({ metadata: { made: new Date() } });
extract.options({
  delay: "5s",
  at: new Date(),
  stagger: 100,
  tags: ["a"],
  metadata: { a: [1, { b: null }] },
});
