import type { StoredError } from "./errors.ts";
import type { Json } from "./payload.ts";
import type { SignatureRecord } from "./record.ts";
import type { Status } from "./status.ts";

/** One item in the result of a swarm. */
export interface ItemResult<O = Json> {
  index: number;
  key?: string;
  id: string;
  status: Status;
  result?: O;
  error?: StoredError;
}

/**
 * The result of a swarm. `results` is in item order; it is left out for more than 1,000 items or 1 MiB, and of swarms in swarms
 * beyond 10,000 items in all: see `run.results()`.
 */
export interface SwarmResult<O = Json> {
  total: number;
  succeeded: number;
  failed: number;
  skipped: number;
  results?: ItemResult<O>[];
}

/** Items that a swarm's result lists inline. */
export const INLINE_ITEMS = 1_000;

/** JSON text of one item, `result` being the JSON text of its result. */
export function itemText(item: SignatureRecord, result: string | null): string {
  const key = item.key === null ? "" : `,"key":${JSON.stringify(item.key)}`;
  const value = result === null ? "" : `,"result":${result}`;
  const error =
    item.status === "FAILED" && item.error !== null ? `,"error":${JSON.stringify(item.error)}` : "";
  return `{"index":${item.slot}${key},"id":${JSON.stringify(item.id)},"status":"${item.status}"${value}${error}}`;
}

/** JSON text of a swarm's result; `items` are texts of {@link itemText}, or null when they are not inline. */
export function swarmText(swarm: SignatureRecord, items: readonly string[] | null): string {
  const { total, succeeded, failed, skipped } = swarm.family!;
  const counts = `"total":${total},"succeeded":${succeeded},"failed":${failed},"skipped":${skipped}`;
  return items === null ? `{${counts}}` : `{${counts},"results":[${items.join(",")}]}`;
}
