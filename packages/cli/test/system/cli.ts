import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a process of its own, in an empty directory that goes with the scene. */
export class Scene implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "mageflow-cli-"));
  readonly #children = new Set<ChildProcess>();

  path(name: string): string {
    return join(this.directory, name);
  }

  start(...args: string[]): Started {
    const { MAGEFLOW_STORE: _store, MAGEFLOW_CACHE: _cache, FORCE_COLOR: _force, ...env } = process.env;
    const child = spawn(process.execPath, ["--conditions=@mageflow/source", MAIN, ...args], {
      cwd: this.directory,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    return new Started(child);
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** Runs with `--json`; what comes back is the one object on stdout. */
  async json<T>(...args: string[]): Promise<{ code: number | null; value: T }> {
    const { code, stdout, stderr } = await this.run(...args, "--json");
    if (stdout.split("\n").length !== 2) throw new Error(`not one line on stdout: ${stdout}\n${stderr}`);
    return { code, value: JSON.parse(stdout) as T };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "close");
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Started {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #text = { stdout: "", stderr: "" };
  #onText = (): void => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const name of ["stdout", "stderr"] as const) {
      child[name]!.setEncoding("utf8").on("data", (text: string) => {
        this.#text[name] += text;
        this.#onText();
      });
    }
    this.ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...this.#text }));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has printed this; rejects when it ends without. */
  async printed(pattern: RegExp, on: "stdout" | "stderr" = "stdout"): Promise<string> {
    const seen = new Promise<string>((resolve) => {
      this.#onText = () => {
        const match = pattern.exec(this.#text[on]);
        if (match !== null) resolve(match[0]);
      };
      this.#onText();
    });
    const early = this.ended.then(({ code, stderr }) => {
      throw new Error(`ended with ${code} before it printed ${pattern}: ${stderr}`);
    });
    return Promise.race([seen, early]);
  }
}
