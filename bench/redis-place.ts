import { bullmq } from "mageflow/bullmq";
import type { MageFlowOptions } from "mageflow";
import { Redis } from "ioredis";

export const REDIS: string = process.env["MAGEFLOW_TEST_REDIS"] ?? "redis://127.0.0.1:6379";

/** An engine with keys of its own for one measurement, which are removed after it. */
export function benchEngine(): {
  readonly engine: NonNullable<MageFlowOptions["engine"]>;
  readonly prefix: string;
} & AsyncDisposable {
  const prefix = `bench-${process.pid}`;
  return { prefix, engine: bullmq(REDIS, { prefix }), [Symbol.asyncDispose]: () => removeKeys(prefix) };
}

async function removeKeys(prefix: string): Promise<void> {
  const client = new Redis(REDIS);
  const keys = await client.keys(`${prefix}*`);
  for (let from = 0; from < keys.length; from += 1_000) await client.unlink(keys.slice(from, from + 1_000));
  client.disconnect();
}
