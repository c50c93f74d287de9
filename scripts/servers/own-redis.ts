import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { TestServer } from "./find-server.ts";

/** The program of it: what needs one to be killed needs this host to have it. */
export const redisProgram: TestServer = {
  title: "a Redis of their own",
  url: "",
  missing: spawnSync("redis-server", ["--version"]).status === 0 ? null : "redis-server is not installed",
};

/** A Redis server of a test's own, to be flushed, frozen, filled and killed. */
export class OwnRedis implements AsyncDisposable {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "mageflow-redis-"));
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<OwnRedis> {
    const server = await OwnRedis.off();
    await server.start();
    return server;
  }

  /** One that does not run yet. */
  static async off(): Promise<OwnRedis> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    probe.close();
    await once(probe, "close");
    return new OwnRedis(port);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const options = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--dir", this.#folder];
    this.#process = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
    const { stdout } = this.#process;
    await new Promise<void>((resolve) => {
      stdout!.on("data", (said) => {
        if (String(said).includes("Ready to accept connections")) resolve();
      });
    });
  }

  async kill(): Promise<void> {
    const server = this.#process;
    if (server === null) return;
    this.#process = null;
    server.kill("SIGKILL");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  }

  freeze(): void {
    this.#process!.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process!.kill("SIGCONT");
  }

  /** Asks it past the cache. */
  async ask<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url);
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
