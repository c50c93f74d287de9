import * as errors from "../../core/errors.ts";

/** An error on its way between a worker and an isolate. */
export interface CarriedError extends errors.StoredCause {
  /** What its class adds to an `Error`, as JSON text. */
  readonly fields: string;
}

/** Our classes by their names, and whatever else stands beside them. */
const BY_NAME = new Map<string, unknown>(Object.entries(errors));

export function carriedError(error: unknown): CarriedError {
  const fields = error instanceof errors.MageFlowError ? Object.entries(error) : [];
  return {
    ...errors.describeThrown(error),
    fields: JSON.stringify(Object.fromEntries(fields)),
  };
}

/** The error again, of its class when that is one of ours. */
export function revivedError(carried: CarriedError): Error {
  const error = errors.toError(carried);
  const kind = BY_NAME.get(carried.name);
  if (isErrorClass(kind)) Object.setPrototypeOf(error, kind.prototype);
  return Object.assign(error, JSON.parse(carried.fields) as object);
}

function isErrorClass(value: unknown): value is typeof errors.MageFlowError {
  return (
    value === errors.MageFlowError ||
    (typeof value === "function" && value.prototype instanceof errors.MageFlowError)
  );
}
