import { execFileSync, type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

/** Where packages of Debian put the programs of a server, each version in a folder of its own. */
const DEBIAN = "/usr/lib/postgresql";

/** A server of its own in a temporary folder, with the settings that it comes with. */
export class PostgresServer {
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#process = this.#spawn();
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "mageflow-postgres-"));
    const { uid, gid } = owner();
    chmodSync(folder, 0o755);
    chownSync(folder, uid, gid);
    cpSync(template(), join(folder, "data"), { recursive: true });
    own(join(folder, "data"), uid, gid);
    const server = new PostgresServer(folder, await freePort());
    await server.#ready();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  /** Ends the server in the middle of everything, as a power loss does but for the disk, and starts it again. */
  async restart(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGQUIT");
    await ended;
    this.#process = this.#spawn();
    await this.#ready();
  }

  /** Cuts the connections that MageFlow has, each with this chance. */
  async cut(chance: number): Promise<void> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mageflow' AND random() < $1`,
      [chance],
    );
    await client.end();
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGQUIT");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  #spawn(): ChildProcess {
    const { uid, gid } = owner();
    const line = ["-D", join(this.#folder, "data"), "-p", String(this.#port), "-k", this.#folder];
    return spawn(program("postgres"), [...line, "-c", "listen_addresses=127.0.0.1"], {
      uid,
      gid,
      stdio: "ignore",
    });
  }

  async #ready(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const client = new Client({ connectionString: this.url });
      try {
        await client.connect();
        return await client.end();
      } catch (error) {
        if (attempt === 300) throw error;
      }
      await sleep(100);
    }
  }
}

let made: string | undefined;

/** A folder as `initdb` leaves it, made once. */
function template(): string {
  if (made === undefined) {
    const { uid, gid } = owner();
    const folder = mkdtempSync(join(tmpdir(), "mageflow-postgres-"));
    chownSync(folder, uid, gid);
    made = join(folder, "data");
    const line = ["-D", made, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
    execFileSync(program("initdb"), line, { uid, gid, stdio: "ignore" });
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  }
  return made;
}

/** The server refuses to be run by the superuser. */
function owner(): { uid: number; gid: number } {
  const user = process.getuid!() === 0 ? "postgres" : String(process.getuid!());
  const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function own(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  for (const entry of readdirSync(path, { recursive: true, encoding: "utf8" }))
    chownSync(join(path, entry), uid, gid);
  chmodSync(path, 0o700);
}

/** The path of a program of the server: in the newest version that is installed, or wherever the shell finds it. */
function program(name: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return (
    versions.map((version) => join(DEBIAN, version, "bin", name)).find((path) => existsSync(path)) ?? name
  );
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, "close");
  return port;
}
