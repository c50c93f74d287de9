import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Child, startChild } from "../../../../scripts/chaos/process.ts";

/** A program of `programs/` that runs as a process of its own, and is killed at the end of its block. */
export interface Program extends Child, AsyncDisposable {
  /** Resolves with the rest of the first line that starts with this word. Fails when the program ends without it. */
  says(word: string): Promise<string>;
  /** Writes a line to its stdin. */
  tell(line: string): void;
}

export function program(name: string, ...args: readonly string[]): Program {
  const child = startChild(new URL(`./programs/${name}.ts`, import.meta.url), args);
  return {
    ...child,
    tell: (line) => void child.process.stdin!.write(`${line}\n`),
    says: async (word) => {
      const line = await child.line(word);
      if (line !== null) return line.slice(word.length).trim();
      const { code, signal, errors } = await child.ended;
      throw new Error(`${name} ended with ${code ?? signal} before it said "${word}": ${errors}`);
    },
    [Symbol.asyncDispose]: async () => {
      // Also what is stopped dies of this.
      child.process.kill("SIGKILL");
      await child.ended;
    },
  };
}

/** Stops a process in its tracks, yet not inside a transaction: it would hold up all others with it. */
export function freeze({ process }: Program, { file }: Folder): void {
  using database = new DatabaseSync(file, { timeout: 10_000 });
  database.exec("BEGIN IMMEDIATE");
  process.kill("SIGSTOP");
  database.exec("ROLLBACK");
}

/** A folder for a store and a ledger. */
export interface Folder extends Disposable {
  readonly store: string;
  /** The store's database. */
  readonly file: string;
  readonly ledger: string;
  path(name: string): string;
}

export function folder(): Folder {
  const at = mkdtempSync(join(tmpdir(), "mageflow-system-"));
  return {
    store: `sqlite:${join(at, "store.db")}`,
    file: join(at, "store.db"),
    ledger: join(at, "ledger.jsonl"),
    path: (name) => join(at, name),
    [Symbol.dispose]: () => rmSync(at, { recursive: true, force: true }),
  };
}
