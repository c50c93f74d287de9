import type { Redis } from "ioredis";
import { StoreError } from "../../core/errors.ts";

const CONNECT_MS = 2_000;

/**
 * A connection that comes up once, and is not mended: whoever uses the cache decides when to try again. It does not keep the process
 * alive; whoever waits for an answer does.
 *
 * @throws StoreError `STORE_UNAVAILABLE` when there is no driver; what the driver says when it cannot connect.
 */
export async function connect(url: string): Promise<Redis> {
  const { Redis: Client } = await driver();
  const client = new Client(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectionName: "mageflow",
  });
  // What is under way is told; a connection that nobody uses may be lost.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw error;
  }
  (client as unknown as { stream: { unref(): void } }).stream.unref();
  return client;
}

/** @throws StoreError `STORE_UNAVAILABLE` when it is not installed. */
async function driver(): Promise<Pick<typeof import("ioredis"), "Redis">> {
  try {
    return await import("ioredis");
  } catch (cause) {
    throw new StoreError(
      "STORE_UNAVAILABLE",
      'the driver of Redis is not installed; run "npm install ioredis"',
      {
        cause,
      },
    );
  }
}
