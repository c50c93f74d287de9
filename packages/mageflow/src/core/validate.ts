import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describeThrown, type Issue, ValidationError } from "./errors.ts";

/** Any Standard Schema (https://standardschema.dev): zod, valibot, arktype and others. */
export type Schema = StandardSchemaV1;

/** A value that fits, as the schema puts it out. */
interface Valid {
  readonly value: unknown;
}

/**
 * The schema's output for a value, at once unless the schema needs waiting.
 *
 * @throws ValidationError (`VALIDATION`) with the path of every violation, or with what the schema threw at once. What it rejects with after it
 *   has waited is left as it is: whom it asked may answer another time.
 */
export function validate(schema: Schema, value: unknown, what: string): Valid | Promise<Valid> {
  let made: ReturnType<Schema["~standard"]["validate"]>;
  try {
    made = schema["~standard"].validate(value);
  } catch (error) {
    throw thrown(what, error);
  }
  return made instanceof Promise ? made.then((result) => accept(result, what)) : accept(made, what);
}

function thrown(what: string, error: unknown): ValidationError {
  const { name, message } = describeThrown(error);
  return new ValidationError(what, [{ path: "$", message: `the schema threw ${name}: ${message}` }], {
    cause: error,
  });
}

/** Refuses what does not fit, as far as that shows at once: what a schema has to wait for is checked before the task runs. */
export function refuseMisfit(schema: Schema, value: unknown, what: string): void {
  const valid = validate(schema, value, what);
  if (valid instanceof Promise) valid.catch(() => {});
}

function accept(result: StandardSchemaV1.Result<unknown>, what: string): Valid {
  if (result.issues === undefined) return result;
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
