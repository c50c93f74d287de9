import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Backend } from "./backends.ts";
import type { Started } from "./ledger.ts";
import { freePort } from "./free-port.ts";
import { identify, isAlive } from "./process-identity.ts";
import type { Command, Kitchen } from "./recipes.ts";
import { hand, type User, whomToRunAs } from "./server-user.ts";

/** How long a server may take until it lets somebody in, and until it has ended (ms). */
const PATIENCE_MS = 60_000;
/** Time between two looks at one that starts or ends (ms). */
const LOOK_MS = 50;

/** What a server says, in its folder. */
const LOG = "log";

type OwnServer = Started & { kind: "process" };

/**
 * Starts a server on a free port, in a temporary folder. It goes on when this process ends. `record` hears of it as soon as there is a process.
 * Throws with the end of its log when it does not come up; then nothing is left of it.
 */
export async function launch(
  backend: Backend,
  kitchen: Kitchen,
  record: (server: OwnServer) => void,
): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), `mageflow-${backend.name}-`));
  const user = whomToRunAs(backend.recipe.user);
  let server: OwnServer | null = null;
  try {
    const preparing = kitchen.prepare(folder);
    if (user !== null) hand(folder, user);
    if (preparing !== null) await runToEnd(preparing, folder, user);
    const port = await freePort();
    const url = new URL(backend.usual);
    url.port = String(port);
    const child = await begin([...kitchen.serve(folder, port), ...kitchen.hasty], folder, user);
    child.unref();
    const identity = identify(child.pid!);
    if (identity === null) throw new Error("it has ended");
    server = { kind: "process", backend: backend.name, url: url.href, process: identity, folder };
    record(server);
    await untilReady(backend, server);
    return server;
  } catch (error) {
    const said = tail(join(folder, LOG));
    if (server === null) rmSync(folder, { recursive: true, force: true });
    else await end(backend, server);
    throw new Error(`cannot start ${backend.title}: ${(error as Error).message}${said}`, { cause: error });
  }
}

/** Ends it if it is still what was started, and removes its folder. */
export async function end(backend: Backend, { process: server, folder }: OwnServer): Promise<void> {
  if (isAlive(server)) {
    process.kill(server.pid, backend.recipe.ending);
    const tooLong = performance.now() + PATIENCE_MS;
    while (isAlive(server)) {
      if (performance.now() > tooLong) process.kill(server.pid, "SIGKILL");
      await wait(LOOK_MS);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

async function untilReady(backend: Backend, server: OwnServer): Promise<void> {
  const tooLong = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await backend.probe(new URL(server.url));
    if (!isAlive(server.process)) throw new Error("it has ended");
    if (answer.is === "ready") return;
    if (performance.now() > tooLong) throw new Error(answer.why);
    await wait(LOOK_MS);
  }
}

async function runToEnd(command: Command, folder: string, user: User | null): Promise<void> {
  const child = await begin(command, folder, user);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code !== 0) throw new Error(`${command[0]} has ended with ${signal ?? `exit code ${code}`}`);
}

/** In a session of its own: an interrupt at the terminal is not for servers. */
async function begin([program, ...args]: Command, folder: string, user: User | null): Promise<ChildProcess> {
  const log = openSync(join(folder, LOG), "a");
  try {
    const child = spawn(program, args, { ...user, cwd: folder, detached: true, stdio: ["ignore", log, log] });
    await once(child, "spawn");
    return child;
  } finally {
    closeSync(log);
  }
}

function tail(log: string): string {
  try {
    const lines = readFileSync(log, "utf8").trim().split("\n").slice(-15);
    return lines.length === 0 ? "" : `\n  ${lines.join("\n  ")}`;
  } catch {
    return "";
  }
}
