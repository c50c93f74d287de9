import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Backend, backendOf } from "../servers/backends.ts";
import { freePort } from "../servers/free-port.ts";
import type { Kitchen } from "../servers/recipes.ts";
import { hand, whomToRunAs } from "../servers/server-user.ts";

/** How long a server may take until it lets somebody in (ms), and the time between two looks. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

/** Backends whose server holds a store. */
export type Database = "postgres" | "mysql";

/** A server of its own in a temporary folder, with the settings that it comes with: what it has told as committed is on the disk. */
export class DatabaseServer {
  readonly url: string;
  readonly #backend: Backend;
  readonly #kitchen: Kitchen;
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess;

  private constructor(backend: Backend, kitchen: Kitchen, folder: string, port: number) {
    this.#backend = backend;
    this.#kitchen = kitchen;
    this.#folder = folder;
    this.#port = port;
    const url = new URL(backend.usual);
    url.port = String(port);
    this.url = url.href;
    this.#process = this.#spawn();
  }

  static async start(name: Database): Promise<DatabaseServer> {
    const backend = backendOf(name)!;
    const kitchen = backend.recipe.find();
    if (kitchen === null) throw new Error(`${backend.title} is not installed; see npm run services`);
    const folder = mkdtempSync(join(tmpdir(), `mageflow-${name}-`));
    // With owners and rights.
    execFileSync("cp", ["-a", `${prepared(backend, kitchen)}/.`, folder]);
    const server = new DatabaseServer(backend, kitchen, folder, await freePort());
    await server.#ready().catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  /** Ends the server in the middle of everything, as a loss of power does but for the disk, and starts it again. */
  async restart(): Promise<void> {
    await this.#crash();
    this.#process = this.#spawn();
    await this.#ready();
  }

  async stop(): Promise<void> {
    await this.#crash();
    rmSync(this.#folder, { recursive: true });
  }

  #spawn(): ChildProcess {
    const [program, ...args] = this.#kitchen.serve(this.#folder, this.#port);
    return spawn(program, args, {
      ...whomToRunAs(this.#backend.recipe.user),
      cwd: this.#folder,
      stdio: "ignore",
    });
  }

  async #crash(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "close");
    this.#process.kill(this.#backend.recipe.crash);
    await ended;
  }

  async #ready(): Promise<void> {
    const tooLong = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#backend.probe(new URL(this.url));
      if (answer.is === "ready") return;
      if (this.#process.exitCode !== null) throw new Error(`${this.#backend.title} has ended at once`);
      if (performance.now() > tooLong) throw new Error(answer.why);
      await sleep(LOOK_MS);
    }
  }
}

const folders = new Map<Backend, string>();

/** A folder as it is before the server is started for the first time. It is made once, for that takes longer than to copy it. */
function prepared(backend: Backend, kitchen: Kitchen): string {
  const known = folders.get(backend);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), `mageflow-${backend.name}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const preparing = kitchen.prepare(folder);
  const user = whomToRunAs(backend.recipe.user);
  if (user !== null) hand(folder, user);
  if (preparing !== null) {
    const [program, ...args] = preparing;
    execFileSync(program, args, { ...user, cwd: folder, stdio: "ignore" });
  }
  folders.set(backend, folder);
  return folder;
}
