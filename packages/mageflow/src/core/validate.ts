import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Issue, ValidationError } from "./errors.ts";

/** Any Standard Schema (https://standardschema.dev): zod, valibot, arktype and others. */
export type Schema = StandardSchemaV1;

/**
 * The schema's output for a value.
 *
 * @throws ValidationError (`VALIDATION`) with the path of every violation.
 */
export async function validate(schema: Schema, value: unknown, what: string): Promise<unknown> {
  const made = schema["~standard"].validate(value);
  return accept(made instanceof Promise ? await made : made, what);
}

/** The same at once, for schemas that need no waiting; null for those that do. */
export function validateNow(schema: Schema, value: unknown, what: string): { value: unknown } | null {
  const made = schema["~standard"].validate(value);
  return made instanceof Promise ? null : { value: accept(made, what) };
}

function accept(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value;
  throw new ValidationError(what, result.issues.map(issue));
}

function issue({ path, message }: StandardSchemaV1.Issue): Issue {
  let text = "$";
  for (const segment of path ?? []) {
    const key = typeof segment === "object" ? segment.key : segment;
    text += typeof key === "number" ? `[${key}]` : `.${String(key)}`;
  }
  return { path: text, message };
}
