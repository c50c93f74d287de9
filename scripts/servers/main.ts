import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { BACKENDS, backendOf } from "./backends.ts";
import { self } from "./ledger.ts";
import type { Identity } from "./process-identity.ts";
import { provide, stop } from "./provide.ts";

const NAMES = BACKENDS.map(({ name }) => name).join("|");
const USAGE = `usage: scripts/services env [--own] [${NAMES} …]
       scripts/services run [--own] [${NAMES} …] -- command …
       scripts/services stop
`;

/**
 * Servers to test with. Uses those that listen on the standard ports of this host; where there is none it starts one, from what is installed,
 * in a temporary folder and on a free port; where nothing is installed it installs it (root on Debian), or takes `docker compose`.
 *
 *     eval "$(scripts/services env)"       starts what is missing, and prints the environment that names all of them
 *     scripts/services run -- npm test     runs a command in it, and then ends what it has started for it
 *     scripts/services stop                ends what `env` has started, and nothing else
 *
 * All backends unless some are named. `--own` starts them even if others listen on the standard ports. A variable that is set stays as it is:
 * the server that it names must answer. The exit code is 1 when a backend is missing; `run` runs its command nevertheless.
 */
const say = (line: string): void => void process.stderr.write(`services: ${line}\n`);

const given = process.argv.slice(2);
const border = given.includes("--") ? given.indexOf("--") : given.length;
const command = given.slice(border + 1);
const { values, positionals } = read(given.slice(0, border));
const [verb = "env", ...names] = positionals;
const wish = {
  own: values.own,
  backends: names.length === 0 ? BACKENDS : names.map((name) => backendOf(name) ?? refuse()),
  say,
};

if (verb === "env" && command.length === 0) {
  const { variables, lacks } = await environment(null);
  for (const [name, url] of Object.entries(variables))
    process.stdout.write(`export ${name}=${quoted(url)}\n`);
  process.exitCode = lacks.length === 0 ? 0 : 1;
} else if (verb === "run" && command.length > 0) {
  process.exitCode = await run(command);
} else if (verb === "stop" && names.length === 0 && command.length === 0) {
  await stop(null, say);
} else {
  refuse();
}

async function environment(
  owner: Identity | null,
): Promise<{ variables: Record<string, string>; lacks: string[] }> {
  const places = [...(await provide({ ...wish, owner }))];
  return {
    variables: Object.fromEntries(
      places.flatMap(([{ variable }, place]) => (place.is === "found" ? [[variable, place.url]] : [])),
    ),
    lacks: places.flatMap(([{ title }, place]) => (place.is === "found" ? [] : [`${title}: ${place.why}`])),
  };
}

/** The servers end after the command, whatever ends it. */
async function run([program, ...args]: readonly string[]): Promise<number> {
  const owner = self();
  let asked: NodeJS.Signals | null = null;
  let child: ChildProcess | null = null;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      asked = signal;
      // The terminal interrupts the command too, which then ends as it likes.
      if (signal !== "SIGINT") child?.kill(signal);
    });
  try {
    const { variables, lacks } = await environment(owner);
    if (asked !== null) return exitCodeOf(null, asked);
    child = spawn(program!, args, { env: { ...process.env, ...variables }, stdio: "inherit" });
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    for (const lack of lacks) say(`the command had no ${lack}`);
    return exitCodeOf(code, signal) || (lacks.length === 0 ? 0 : 1);
  } catch (error) {
    say((error as Error).message);
    return 1;
  } finally {
    await stop(owner, say);
  }
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + constants.signals[signal!];
}

function read(args: string[]): { values: { own: boolean }; positionals: string[] } {
  try {
    return parseArgs({ args, allowPositionals: true, options: { own: { type: "boolean", default: false } } });
  } catch {
    return refuse();
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function refuse(): never {
  process.stderr.write(USAGE);
  process.exit(2);
}
