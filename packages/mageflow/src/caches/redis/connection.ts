import type { Redis } from "ioredis";
import { StoreError } from "../../core/errors.ts";

const CONNECT_MS = 2_000;

/** A connection, which keeps the process alive only while somebody waits for an answer. */
export interface Connection {
  readonly client: Redis;
  /** Sends something and waits for the answer. */
  awaited<T>(send: (client: Redis) => Promise<T>): Promise<T>;
}

/**
 * A connection that comes up once, and is not mended: whoever uses the cache decides when to try again.
 *
 * @throws StoreError `STORE_UNAVAILABLE` when there is no driver; what the driver says when it cannot connect.
 */
export async function connect(url: string): Promise<Connection> {
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
  // Whose command is under way is told by it; a connection that nobody uses may be lost.
  let lost: Error | null = null;
  client.on("error", (error: Error & { command?: { name: string } }) => {
    lost ??= error;
    // Where the database of the URL is refused, the driver would go on with another one.
    if (error.command?.name === "select") client.disconnect();
  });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw lost ?? error;
  }
  // Its types leave the socket out.
  const { stream } = client as unknown as { stream: { ref(): void; unref(): void } };
  stream.unref();
  let pending = 0;
  return {
    client,
    async awaited(send) {
      if (pending++ === 0) stream.ref();
      try {
        return await send(client);
      } finally {
        if (--pending === 0) stream.unref();
      }
    },
  };
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
