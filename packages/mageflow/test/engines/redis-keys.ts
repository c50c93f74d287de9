import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

/** What all keys of one test begin with. */
export function freshPrefix(): string {
  return `mageflow-test-${randomUUID().slice(0, 8)}`;
}

/** Removes all keys that begin so: what a flush does to one who has nothing else there. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  try {
    const keys = await client.keys(`${prefix}*`);
    for (let from = 0; from < keys.length; from += 1_000) await client.unlink(keys.slice(from, from + 1_000));
  } finally {
    client.disconnect();
  }
}
