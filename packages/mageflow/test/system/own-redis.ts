import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

/** Why no server can be started, or null. */
export const MISSING: string | null =
  spawnSync("redis-server", ["--version"]).status === 0 ? null : "redis-server is not installed";

/** A Redis that a test may do anything to. What it holds is gone when it is killed. */
export class OwnRedis implements AsyncDisposable {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "mageflow-redis-"));
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(): Promise<OwnRedis> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    const redis = new OwnRedis(port);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const options = ["--port", String(this.#port), "--bind", "127.0.0.1", "--dir", this.#folder];
    this.#process = spawn("redis-server", [...options, "--save", "", "--appendonly", "no"], {
      stdio: "ignore",
    });
    await this.ask((client) => client.ping());
  }

  /** Asks past the engine; waits until the server answers. */
  async ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on("error", () => {});
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  async kill(): Promise<void> {
    const process = this.#process!;
    this.#process = null;
    process.kill("SIGKILL");
    await once(process, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== null) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
