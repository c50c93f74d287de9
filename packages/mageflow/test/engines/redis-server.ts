import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

/** Where tests look for a server unless `MAGEFLOW_TEST_REDIS` names one. */
export const REDIS: string = process.env["MAGEFLOW_TEST_REDIS"] ?? "redis://127.0.0.1:6379";

/** Why there is no server to test with, or null. One that is named and does not answer is an error. */
export async function missingRedis(): Promise<string | null> {
  const client = new Redis(REDIS, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return null;
  } catch (error) {
    if (process.env["MAGEFLOW_TEST_REDIS"] !== undefined) throw error;
    return "no server on the usual port, and MAGEFLOW_TEST_REDIS names none";
  } finally {
    client.disconnect();
  }
}

/** What all keys of one test begin with. */
export function freshPrefix(): string {
  return `mageflow-test-${randomUUID().slice(0, 8)}`;
}

/** Removes all keys that begin so: what a flush does to one who has nothing else there. */
export async function removeKeys(prefix: string, url: string = REDIS): Promise<void> {
  const client = new Redis(url);
  try {
    const keys = await client.keys(`${prefix}:*`);
    for (let from = 0; from < keys.length; from += 1_000) await client.unlink(keys.slice(from, from + 1_000));
  } finally {
    client.disconnect();
  }
}
