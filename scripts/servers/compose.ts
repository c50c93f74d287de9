import { execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Backend } from "./backends.ts";
import { freePort } from "./free-port.ts";
import type { Started } from "./ledger.ts";

const FILE = fileURLToPath(new URL("../../compose.yaml", import.meta.url));
/** From the image being there to the server letting somebody in (ms). */
const PATIENCE_MS = 120_000;
const LOOK_MS = 250;

type Project = Started & { kind: "compose" };

/** Whether there is a docker with compose, and it answers. */
export function canCompose(): boolean {
  return docker({}, ["compose", "version"]) && docker({}, ["info"]);
}

/** Starts the service of the compose file on a free port, as a project of its own. `record` hears of it before it is there. */
export async function compose(backend: Backend, record: (project: Project) => void): Promise<Project> {
  const port = await freePort();
  const url = new URL(backend.usual);
  url.port = String(port);
  const project: Project = {
    kind: "compose",
    backend: backend.name,
    url: url.href,
    project: `mageflow-${backend.name}-${port}`,
  };
  record(project);
  const env = { [`${backend.name.toUpperCase()}_PORT`]: String(port) };
  if (!docker(env, [...about(project), "up", "--detach", backend.name])) {
    remove(project);
    throw new Error(`docker compose cannot start ${backend.title}`);
  }
  const tooLong = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await backend.probe(url);
    if (answer.is === "ready") return project;
    if (performance.now() > tooLong) {
      remove(project);
      throw new Error(`docker compose has started ${backend.title}, but ${answer.why}`);
    }
    await wait(LOOK_MS);
  }
}

export function remove(project: Project): void {
  docker({}, [...about(project), "down", "--volumes"]);
}

function about({ project }: Project): string[] {
  return ["compose", "--file", FILE, "--project-name", project];
}

/** Whether it went well. What it says goes to stderr when it is to do something. */
function docker(env: Readonly<Record<string, string>>, args: readonly string[]): boolean {
  const stdio = args.includes("--file") ? 2 : ("ignore" as const);
  try {
    execFileSync("docker", args, { env: { ...process.env, ...env }, stdio: ["ignore", stdio, stdio] });
    return true;
  } catch {
    return false;
  }
}
