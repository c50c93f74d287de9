import { expectTypeOf } from "vitest";
import type { Incoming, Part, Rest, Within } from "./flow.ts";

// What a result is to the next signature.
expectTypeOf<Incoming<{ a: string }>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<Incoming<number[]>>().toEqualTypeOf<{ result: number[] }>();
expectTypeOf<Incoming<readonly [1, 2]>>().toEqualTypeOf<{ result: readonly [1, 2] }>();
expectTypeOf<Incoming<string>>().toEqualTypeOf<{ result: string }>();
expectTypeOf<Incoming<null>>().toEqualTypeOf<{ result: null }>();
expectTypeOf<Incoming<undefined>>().toEqualTypeOf<{ result: null }>();
expectTypeOf<Incoming<{ a: 1 } | string>>().toEqualTypeOf<{ a: 1 } | { result: string }>();
expectTypeOf<Incoming<never>>().toEqualTypeOf<never>();

// What a container must be given for what is inside it.
expectTypeOf<Within<{ a: string }>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<Within<{ a: string } | { b: string }>>().toEqualTypeOf<{ a: string } | { b: string }>();
expectTypeOf<Within<unknown>>().toEqualTypeOf<unknown>();
expectTypeOf<Within<never>>().toEqualTypeOf<never>();
expectTypeOf<number[]>().not.toExtend<Within<number[]>>();
expectTypeOf<{ result: string }>().not.toExtend<Within<string>>();
expectTypeOf<{ a: string }>().toExtend<Within<{ a: string } | string>>();

// What may be bound.
expectTypeOf<Part<{ a: string; b: { c: number[] } }>>().toEqualTypeOf<{
  a?: string | undefined;
  b?: { c?: number[] | undefined } | undefined;
}>();
expectTypeOf<Part<unknown>>().toEqualTypeOf<unknown>();
expectTypeOf<Part<string[]>>().toEqualTypeOf<string[]>();

// What is still needed: bound keys are gone, optional ones stay optional.
expectTypeOf<Rest<{ a: string; b: number }, { readonly a: "x" }>>().toEqualTypeOf<{ b: number }>();
expectTypeOf<Rest<{ a: string; b?: number }, { readonly a: "x" }>>().toEqualTypeOf<{ b?: number }>();
expectTypeOf<Rest<{ a: string }, Record<never, never>>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<Rest<unknown, { a: 1 }>>().toEqualTypeOf<unknown>();
expectTypeOf<Rest<Record<string, number>, { a: 1 }>>().toEqualTypeOf<Record<string, number>>();

// Objects are bound part by part, arrays and everything else whole.
type Nested = { o: { x: number; y: number } };
expectTypeOf<Rest<Nested, { readonly o: { readonly x: 1 } }>>().toEqualTypeOf<{ o: { y: number } }>();
expectTypeOf<Rest<Nested, { o: { x: 1; y: 2 } }>>().toEqualTypeOf<Record<never, never>>();
expectTypeOf<Rest<{ o: { x: number; y?: number } }, { o: { x: 1 } }>>().toEqualTypeOf<Record<never, never>>();
expectTypeOf<Rest<{ o: number[] }, { readonly o: readonly [1] }>>().toEqualTypeOf<Record<never, never>>();

// An optional object that is begun must be finished.
expectTypeOf<Rest<{ o?: { x: number; y: number } }, { o: { x: 1 } }>>().toEqualTypeOf<{ o: { y: number } }>();

// What is, or may be, undefined is not bound.
expectTypeOf<Rest<{ a: string }, { readonly a: undefined }>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<Rest<{ a: string }, { readonly a?: "x" }>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<Rest<{ a: string }, { readonly a: "x" | undefined }>>().toEqualTypeOf<{ a: string }>();
