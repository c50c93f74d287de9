import { expectTypeOf } from "vitest";
import { chain, type TaskPlan } from "../core/plans.ts";
import type { TaskContext } from "./context.ts";

/** A task with this input and result. */
type Task<I, O> = TaskPlan<I, O, I>;

declare const ctx: TaskContext;
declare const remove: Task<{ path: string; force?: boolean }, { removed: number }>;
declare const unlock: Task<{ host: string; port: number }, null>;
declare const close: Task<{ result: number[] }, null>;
declare const free: Task<{ result: null }, null>;
declare const none: Task<unknown, null>;
declare const report: Task<{ removed: number }, null>;

// --- resource: a function

await ctx.resource("tmp", { path: "/tmp/a" }, (held) => {
  expectTypeOf(held).toEqualTypeOf<{ path: string }>();
});
await ctx.resource("lock", null, () => 1);
// @ts-expect-error -- a function of something else
await ctx.resource("tmp", { path: "/tmp/a" }, (held: { host: string }) => held.host);

// --- resource: a plan, whose input the descriptor must satisfy

await ctx.resource("tmp", { path: "/tmp/a" }, remove);
await ctx.resource("tmp", { path: "/tmp/a", more: 1 }, remove.with({ force: true }));
await ctx.resource("tmp", { path: "/tmp/a" }, chain([remove, report]));
await ctx.resource("host", { host: "h" }, unlock.with({ port: 22 }));
// Anything but an object comes in under `result`.
await ctx.resource("ids", [1, 2], close);
await ctx.resource("lock", null, free);
await ctx.resource("any", { path: 1 }, none);

// @ts-expect-error -- a path that is no text
await ctx.resource("tmp", { path: 1 }, remove);
// @ts-expect-error -- no path
await ctx.resource("tmp", { file: "/tmp/a" }, remove);
// @ts-expect-error -- the port is open
await ctx.resource("host", { host: "h" }, unlock);
// @ts-expect-error -- texts under `result`
await ctx.resource("ids", ["1"], close);
// @ts-expect-error -- the first step of a chain
await ctx.resource("tmp", { file: "/tmp/a" }, chain([remove, report]));
// @ts-expect-error -- neither function nor plan
await ctx.resource("tmp", { path: "/tmp/a" }, "remove");
