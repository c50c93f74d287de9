import { merge } from "./compose.ts";
import { InvalidPlanError } from "./errors.ts";
import type {
  AnyPlan,
  FirstOf,
  Flow,
  Flowing,
  Incoming,
  LastOf,
  InputOf,
  NeedsOf,
  OutputOf,
  Part,
  Rest,
  Within,
} from "./flow.ts";
import { inWords } from "./in-words.ts";
import { type OptionNames, requireOptions } from "./known-options.ts";
import { requireKey, requireName } from "./label.ts";
import { decode, encode, requireSize, stringify } from "./payload.ts";
import {
  type Callbacks,
  NO_CALLBACKS,
  type Outcome,
  type PlanNode,
  type Spec,
  type SwarmSpec,
} from "./plan.ts";
import { PLAN_OPTIONS, type PlanOptions, storedOptions } from "./plan-options.ts";
import type { SwarmResult } from "./result.ts";

/**
 * What will be run: a value. Making one does no I/O and every method returns a new plan, so a plan can be used in any number of
 * places. `Needs` is the input that is still open, `Out` the result, `In` the whole input.
 */
export abstract class Plan<Needs, Out, In> implements Flow<Needs, Out, In> {
  abstract readonly spec: Spec;
  abstract readonly bound: string | null;
  abstract readonly key: string | null;
  abstract readonly children: Iterable<PlanNode> | null;

  declare readonly "~flow"?: NonNullable<Flow<Needs, Out, In>["~flow"]>;

  protected abstract copy(change: Partial<PlanParts>): this;

  /**
   * Binds part of the input. Binding again merges: plain objects deeply, anything else replaces.
   *
   * @throws PayloadError (`PAYLOAD`) for what JSON cannot carry, with its path, and when all that is bound is more than 1 MiB.
   */
  abstract with<const B extends Part<In>>(input: B): Plan<Rest<Needs, B>, Out, In>;

  /** Runs when this succeeds, with its result as input. Repeated calls add up. */
  onSuccess(callback: Flow<Incoming<Out>, unknown, unknown>): this {
    return this.#attach("success", callback);
  }

  /** Runs when this fails, with its input as input and `ctx.cause.error`. Repeated calls add up. */
  onError(callback: Flow<Incoming<In>, unknown, unknown>): this {
    return this.#attach("error", callback);
  }

  /** Runs when this has ended, whatever the outcome, with its input as input; the last one added runs first. */
  onCleanup(callback: Flow<Incoming<In>, unknown, unknown>): this {
    return this.#attach("cleanup", callback);
  }

  /** Sets options; those given replace those set before (`at` also replaces `delay`, and it `at`), tags and metadata add up. */
  options(options: PlanOptions): this {
    requireOptions(options, PLAN_OPTIONS, `"${this.spec.name}"`);
    const given = storedOptions(options);
    const { tags, metadata } = this.spec;
    const { at, delay } = given;
    return this.copy({
      spec: {
        ...this.spec,
        ...(options.priority === undefined ? {} : { priority: given.priority }),
        ...(options.delay === undefined && options.at === undefined ? {} : { at, delay }),
        ...(options.stagger === undefined ? {} : { stagger: given.stagger }),
        ...(given.retain === undefined ? {} : { retain: given.retain }),
        tags: [...new Set([...tags, ...given.tags])],
        metadata: { ...metadata, ...given.metadata },
      },
    });
  }

  /** Names this plan as an item: unique within its swarm, so that adding it again adds nothing. Elsewhere a key says nothing. */
  keyed(key: string): this {
    requireKey(key);
    return this.copy({ key });
  }

  /** What a callback stores of a plan. */
  toJSON(): PlanNode {
    const { spec, bound, key, children } = this;
    return { spec, bound, key, children: children === null ? null : [...children] };
  }

  #attach(outcome: Outcome, callback: AnyPlan): this {
    requirePlan(callback, `a callback of "${this.spec.name}"`);
    return this.copy({ spec: { ...this.spec, callbacks: added(this.spec.callbacks, outcome, callback) } });
  }
}

interface PlanParts {
  readonly spec: Spec;
  readonly bound: string | null;
  readonly key: string | null;
}

function added(callbacks: Callbacks, outcome: Outcome, plan: PlanNode): Callbacks {
  return { ...callbacks, [outcome]: [...callbacks[outcome], plan] };
}

function bind(bound: string | null, input: unknown, name: string): string {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new InvalidPlanError(`with() of "${name}" is given ${inWords(input)}; give an object of inputs`);
  }
  const text = encode(input, `input of "${name}"`);
  if (bound === null) return text;
  const merged = stringify(merge(decode(bound), decode(text)));
  requireSize([merged], `input of "${name}"`);
  return merged;
}

/** @throws InvalidPlanError (`INVALID_PLAN`) for what is no plan. */
export function requirePlan(plan: unknown, what: string): asserts plan is PlanNode {
  if (!(plan instanceof Plan)) {
    throw new InvalidPlanError(`${what} is ${inWords(plan)}, not a plan; pass a task, chain or swarm`);
  }
}

/** A task bound to its input and callbacks. `mage.task()` makes the first one. */
export class TaskPlan<Needs, Out, In> extends Plan<Needs, Out, In> {
  readonly spec: Spec;
  readonly bound: string | null;
  readonly key: string | null;

  constructor(parts: { spec: Spec; bound: string | null; key: string | null }) {
    super();
    this.spec = parts.spec;
    this.bound = parts.bound;
    this.key = parts.key;
  }

  get children(): null {
    return null;
  }

  override with<const B extends Part<In>>(input: B): TaskPlan<Rest<Needs, B>, Out, In> {
    const { spec, bound, key } = this;
    return new TaskPlan({ spec, bound: bind(bound, input, spec.name), key });
  }

  protected override copy(change: Partial<PlanParts>): this {
    const { spec, bound, key } = this;
    return new TaskPlan({ spec, bound, key, ...change }) as this;
  }
}

/** Steps that run one after the other, or items that run side by side. */
export class ContainerPlan<Needs, Out, In> extends Plan<Needs, Out, In> {
  readonly spec: Spec;
  readonly bound: string | null;
  readonly key: string | null;
  readonly #children: Iterable<PlanNode> | (() => Iterable<PlanNode>);

  constructor(parts: PlanParts, children: Iterable<PlanNode> | (() => Iterable<PlanNode>)) {
    super();
    this.spec = parts.spec;
    this.bound = parts.bound;
    this.key = parts.key;
    this.#children = children;
  }

  get children(): Iterable<PlanNode> {
    return typeof this.#children === "function" ? this.#children() : this.#children;
  }

  override with<const B extends Part<In>>(input: B): ContainerPlan<Rest<Needs, B>, Out, In> {
    const { spec, bound, key } = this;
    return new ContainerPlan({ spec, bound: bind(bound, input, spec.name), key }, this.#children);
  }

  protected override copy(change: Partial<PlanParts>): this {
    const { spec, bound, key } = this;
    return new ContainerPlan({ spec, bound, key, ...change }, this.#children) as this;
  }
}

export interface ChainOptions extends PlanOptions {
  /** Default `"chain"`. */
  name?: string;
}

const CHAIN_OPTIONS: OptionNames<ChainOptions> = { name: true, ...PLAN_OPTIONS };

/**
 * Steps that run one after the other; each gets the result of the one before it. The first gets the chain's own input, the result is
 * the last step's. A step that fails fails the chain and the steps behind it are skipped.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) when empty, or when a step is not a plan.
 */
export function chain<const S extends readonly AnyPlan[]>(
  steps: S & Flowing<S>,
  options: ChainOptions = {},
): ContainerPlan<Within<NeedsOf<FirstOf<S>>>, OutputOf<LastOf<S>>, Within<InputOf<FirstOf<S>>>> {
  requireOptions(options, CHAIN_OPTIONS, "a chain");
  const name = options.name ?? "chain";
  requireName(name, "chain");
  const list = steps as unknown;
  if (!Array.isArray(list)) {
    throw new InvalidPlanError(`the steps of chain "${name}" are ${inWords(list)}; give an array of plans`);
  }
  if (list.length === 0) throw new InvalidPlanError(`chain "${name}" is empty; give it at least one step`);
  for (const [slot, step] of list.entries()) requirePlan(step, `step ${slot} of chain "${name}"`);
  const spec: Spec = { kind: "chain", name, callbacks: NO_CALLBACKS, ...storedOptions(options) };
  return new ContainerPlan({ spec, bound: null, key: null }, [...list] as readonly PlanNode[]);
}

export interface SwarmOptions<Out = unknown, In = unknown> extends PlanOptions {
  /** Default `"swarm"`. */
  name?: string;
  /** Items that may be started and not ended at once. Default 30; `Infinity` for no limit. */
  concurrency?: number;
  /** More failures than this fail the swarm at once. Default: it fails only when all items fail. */
  stopAfterFailures?: number;
  /** Past the limit, running items end by themselves, or are interrupted with a grace of 10 s. Default `"finish"`. */
  onLimit?: "finish" | "interrupt";
  /** Most items that it ever takes. Default: no limit. */
  maxTasks?: number;
  /** Takes items until `run.close()`. Default false. */
  open?: boolean;
  onItemSuccess?: Flow<Incoming<Out>, unknown, unknown>;
  onItemError?: Flow<Incoming<In>, unknown, unknown>;
  onItemCleanup?: Flow<Incoming<In>, unknown, unknown>;
}

const SWARM_OPTIONS: OptionNames<SwarmOptions> = {
  name: true,
  concurrency: true,
  stopAfterFailures: true,
  onLimit: true,
  maxTasks: true,
  open: true,
  onItemSuccess: true,
  onItemError: true,
  onItemCleanup: true,
  ...PLAN_OPTIONS,
};

/**
 * Items that run side by side, at most `concurrency` at once. Each gets the swarm's own input below its own. For very many
 * items pass a function that returns an iterator: it is read while the swarm is stored, never as a whole.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for a bad option, or an item that is not a plan.
 */
export function swarm<P extends AnyPlan>(
  items: Iterable<P> | (() => Iterable<P>),
  options: SwarmOptions<OutputOf<P>, InputOf<P>> = {},
): ContainerPlan<
  Within<NeedsOf<P>>,
  SwarmResult<[P] extends [never] ? unknown : OutputOf<P>>,
  Within<InputOf<P>>
> {
  requireOptions(options, SWARM_OPTIONS, "a swarm");
  const name = options.name ?? "swarm";
  requireName(name, "swarm");
  const spec: SwarmSpec = {
    kind: "swarm",
    name,
    callbacks: NO_CALLBACKS,
    ...storedOptions(options),
    concurrency:
      options.concurrency === Number.POSITIVE_INFINITY
        ? null
        : whole(options.concurrency ?? 30, 1, "concurrency"),
    stopAfterFailures: optional(options.stopAfterFailures, 0, "stopAfterFailures"),
    onLimit: onLimit(options.onLimit ?? "finish"),
    maxTasks: optional(options.maxTasks, 0, "maxTasks"),
    open: requireFlag(options.open ?? false, "open"),
    itemCallbacks: {
      success: callback(options.onItemSuccess, "onItemSuccess"),
      error: callback(options.onItemError, "onItemError"),
      cleanup: callback(options.onItemCleanup, "onItemCleanup"),
    },
  };
  if (typeof items === "function") {
    return new ContainerPlan({ spec, bound: null, key: null }, () => {
      const made = items();
      requireIterable(made, name);
      return checked(made, name);
    });
  }
  requireIterable(items, name);
  const list = [...checked(items, name)];
  return new ContainerPlan({ spec, bound: null, key: null }, list);
}

function requireIterable(items: unknown, name: string): asserts items is Iterable<unknown> {
  const given = items as Partial<Iterable<unknown> & AsyncIterable<unknown> & Promise<unknown>> | null;
  if (typeof given?.[Symbol.iterator] === "function") return;
  const what = `the items of swarm "${name}" cannot be iterated`;
  const later = typeof given?.then === "function" || typeof given?.[Symbol.asyncIterator] === "function";
  if (!later) throw new InvalidPlanError(`${what}; pass an array or a function that returns an iterator`);
  // Nobody waits for it.
  if (items instanceof Promise) items.catch(() => {});
  throw new InvalidPlanError(
    `${what}, they come asynchronously; await them first, or make it \`open: true\` and add them as they come (run.addTasks)`,
  );
}

function* checked(items: Iterable<unknown>, name: string): Generator<PlanNode> {
  let slot = 0;
  for (const item of items) {
    if (!(item instanceof Plan)) requirePlan(item, `item ${slot} of swarm "${name}"`);
    yield item;
    slot++;
  }
}

function callback(plan: unknown, what: string): PlanNode[] {
  if (plan === undefined) return [];
  requirePlan(plan, what);
  return [plan];
}

function requireFlag(value: unknown, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw new InvalidPlanError(`${what} is ${inWords(value)}; give true or false`);
}

function onLimit(value: "finish" | "interrupt"): "finish" | "interrupt" {
  if (value === "finish" || value === "interrupt") return value;
  throw new InvalidPlanError(`onLimit is ${inWords(value)}; give "finish" or "interrupt"`);
}

function optional(value: number | undefined, least: number, what: string): number | null {
  return value === undefined || value === Number.POSITIVE_INFINITY ? null : whole(value, least, what);
}

function whole(value: number, least: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidPlanError(`${what} is ${inWords(value)}; give a whole number from ${least}`);
  }
  return value;
}
