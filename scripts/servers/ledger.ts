import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { identify, type Identity, isAlive } from "./process-identity.ts";

/** A server that was started here: a process that works in a folder of its own, or a project of `docker compose`. */
export type Started = { readonly backend: string; readonly url: string } & (
  | { readonly kind: "process"; readonly process: Identity; readonly folder: string }
  | { readonly kind: "compose"; readonly project: string }
);

/** In the checkout that the script belongs to, so that another one knows nothing of these servers. */
const FOLDER = fileURLToPath(new URL("../../.services", import.meta.url));
/** Installing may take minutes, and others wait for it. */
const WAIT_MS = 900_000;

/**
 * What this checkout has started and not ended, in a file. Who has it open holds it alone, until it is closed or the process
 * ends: two that start at once start nothing twice. A server belongs to all, or to one `run`.
 */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync;

  constructor() {
    mkdirSync(FOLDER, { recursive: true });
    this.#db = new DatabaseSync(join(FOLDER, "started.db"), { timeout: WAIT_MS });
    // Never given back before the end, although each row is a transaction.
    this.#db.exec(`PRAGMA locking_mode = EXCLUSIVE;
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS started (server TEXT NOT NULL, owner TEXT);
      COMMIT`);
  }

  /** At once, so that nothing runs of which nobody knows. */
  add(server: Started, owner: Identity | null): void {
    this.#db
      .prepare("INSERT INTO started (server, owner) VALUES (?, ?)")
      .run(JSON.stringify(server), owner === null ? null : JSON.stringify(owner));
  }

  remove(server: Started): void {
    this.#db.prepare("DELETE FROM started WHERE server = ?").run(JSON.stringify(server));
  }

  /** Those that belong to all. */
  shared(): Started[] {
    return this.#rows()
      .filter(({ owner }) => owner === null)
      .map(({ server }) => server);
  }

  ownedBy(process: Identity): Started[] {
    return this.#rows()
      .filter(({ owner }) => owner?.pid === process.pid && owner.birth === process.birth)
      .map(({ server }) => server);
  }

  /** Those of a `run` that was killed before it could end them. */
  orphans(): Started[] {
    return this.#rows()
      .filter(({ owner }) => owner !== null && !isAlive(owner))
      .map(({ server }) => server);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #rows(): { server: Started; owner: Identity | null }[] {
    return this.#db
      .prepare("SELECT server, owner FROM started")
      .all()
      .map(({ server, owner }) => ({
        server: JSON.parse(server as string) as Started,
        owner: owner === null ? null : (JSON.parse(owner as string) as Identity),
      }));
  }
}

/** This process, as an owner. */
export function self(): Identity {
  return identify(process.pid)!;
}
