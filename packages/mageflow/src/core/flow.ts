import type { PlanNode } from "./plan.ts";

/** How inputs and results fit together, at compile time. The rules are those of `compose.ts` at run time. */

/**
 * A plan as others see it: the input that it still needs, its result, its whole input. A plan fits where its needs are met by
 * what is given there.
 */
export interface Flow<in Needs, out Out, out In> extends PlanNode {
  /** Types only; never set. The optional member keeps all-optional needs comparable with any result. */
  readonly "~flow"?: {
    readonly needs: (needs: Needs & { readonly "~"?: never }) => void;
    readonly out: Out;
    readonly in: In;
  };
}

/** A plan that nothing is known of: it fits as a step and may be run, and its inputs are checked when it runs. */
export type AnyPlan = Flow<never, unknown, unknown>;

/** What a result is to the next signature: anything but a plain object comes in under `result`, nothing is null. */
export type Incoming<O> = [O] extends [never]
  ? never
  : O extends readonly unknown[]
    ? { result: O }
    : O extends object
      ? O
      : { result: O extends undefined | void ? null : O };

/**
 * What a container must be given so that something inside it that takes `I` gets it. Its own input comes in there: an object as it is, and
 * anything else under `result`, so that what takes an array, a text or a number as it is fits inside none.
 */
export type Within<I> = unknown extends I
  ? I
  : I extends readonly unknown[]
    ? Unwrapped<I>
    : I extends object
      ? I
      : Unwrapped<I>;

/** Shown by the compiler where a container is used that has such a step or item. */
interface Unwrapped<I> {
  readonly "inside a container anything but an object comes in under `result`, yet something takes": I;
}

/** What may be bound: any part of an input, at any depth; arrays whole. */
export type Part<I> = unknown extends I
  ? unknown
  : I extends readonly unknown[]
    ? I
    : I extends object
      ? { [K in keyof I]?: Part<I[K]> | undefined }
      : I;

/** What is still needed of `I` when `B` is bound. What is bound to undefined is not bound. */
export type Rest<I, B> = unknown extends I
  ? unknown
  : I extends readonly unknown[]
    ? unknown
    : I extends object
      ? B extends object
        ? Flat<
            { [K in keyof I as Bound<B, K> extends never ? K : never]: I[K] } & {
              [K in keyof I as true extends Open<I[K], Bound<B, K>> ? K : never]-?: Rest<
                Extract<I[K], object>,
                Bound<B, K>
              >;
            }
          >
        : I
      : unknown;

/** What `B` binds `K` to; never when it does not, or may not. */
type Bound<B, K> = K extends keyof B ? (undefined extends B[K] ? never : B[K]) : never;

/** True when binding `B` leaves something required of `V` open. */
type Open<V, B> = [B] extends [never]
  ? false
  : V extends readonly unknown[]
    ? false
    : V extends object
      ? B extends object
        ? Record<never, never> extends Rest<V, B>
          ? false
          : true
        : false
      : false;

type Flat<T> = { [K in keyof T]: T[K] };

/** What a plan still needs; of a union of plans, what all of them need. */
export type NeedsOf<P> = [P] extends [Flow<infer N, infer _O, infer _I>] ? N : never;
export type OutputOf<P> = P extends Flow<infer _N, infer O, infer _I> ? O : never;
export type InputOf<P> = [P] extends [Flow<infer _N, infer _O, infer I>] ? I : never;

/** The steps of a chain, each checked against what the step before it gives. A step that does not fit becomes a message. */
export type Flowing<S extends readonly AnyPlan[]> = S extends readonly [
  infer First extends AnyPlan,
  ...infer Next extends readonly AnyPlan[],
]
  ? readonly [First, ...Follow<OutputOf<First>, Next>]
  : S;

type Follow<O, S extends readonly AnyPlan[]> = S extends readonly [
  infer Step extends AnyPlan,
  ...infer Next extends readonly AnyPlan[],
]
  ? readonly [
      [NeedsOf<Step>] extends [never]
        ? Step
        : Step extends Flow<Incoming<O>, unknown, unknown>
          ? Step
          : Misfit<Incoming<O>, NeedsOf<Step>>,
      ...Follow<OutputOf<Step>, Next>,
    ]
  : S;

/** Shown by the compiler at a step whose input is not satisfied. */
interface Misfit<Given, Needed> {
  readonly "this step is given": Given;
  readonly "but still needs": Needed;
}

export type LastOf<S extends readonly AnyPlan[]> = S extends readonly [
  ...infer _Before,
  infer Last extends AnyPlan,
]
  ? Last
  : S[number];

export type FirstOf<S extends readonly AnyPlan[]> = S extends readonly [
  infer First extends AnyPlan,
  ...infer _After,
]
  ? First
  : S[number];
