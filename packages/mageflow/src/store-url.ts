import { fileURLToPath } from "node:url";
import { MageFlowError } from "./core/errors.ts";
import { inWords } from "./core/in-words.ts";
import { invalidArgument } from "./core/invalid-argument.ts";
import type { Store } from "./ports/store.ts";

const ACCEPTED =
  'a path, "sqlite:path", "postgres://host/database", "mysql://host/database", "memory:", or a store';

const POSTGRES = /^postgres(ql)?:/;

const MYSQL = /^(mysql|mariadb):/;

export function isPostgresUrl(url: string): boolean {
  return POSTGRES.test(url);
}

/** True for MariaDB too, which speaks the same language. */
export function isMysqlUrl(url: string): boolean {
  return MYSQL.test(url);
}

/** @throws MageFlowError (`INVALID_ARGUMENT`) for what is no store. */
export function requireStore(given: unknown): Store {
  if (typeof given === "object" && given !== null && "transact" in given) return given as Store;
  throw invalidArgument("store", given, ACCEPTED);
}

/**
 * Lets pass what names a place that a store here can be at: `memory:`, a path, `sqlite:` or `file:` with one, a PostgreSQL or MySQL database.
 *
 * @throws MageFlowError (`UNSUPPORTED_STORE`) for another scheme, (`INVALID_ARGUMENT`) for what names no place.
 */
export function requireStoreUrl(url: string): void {
  // One letter and a colon is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1];
  switch (scheme) {
    case undefined:
      if (url.trim() === "") throw invalidArgument("store", url, ACCEPTED);
      return;
    case "memory":
      if (url !== "memory:") throw invalidArgument("store", url, '"memory:", which has no name');
      return;
    case "sqlite":
      return requireSqlitePath(url);
    case "file":
      return requireFileUrl(url);
    case "postgres":
    case "postgresql":
      return requirePostgresUrl(url);
    case "mysql":
    case "mariadb":
      return requireMysqlUrl(url);
    default:
      throw new MageFlowError(
        "UNSUPPORTED_STORE",
        `there is no store for "${scheme}:"; use "sqlite:path", "postgres://host/database", "mysql://host/database" or "memory:"`,
      );
  }
}

/** Two slashes are followed by a host elsewhere, and a file has none: what was meant is not guessed. */
function requireSqlitePath(url: string): void {
  const [, slashes, rest] = /^sqlite:(\/*)(.*)$/s.exec(url)!;
  if (rest!.trim() === "")
    throw invalidArgument("store", url, 'a path, as in "sqlite:.mageflow/mageflow.db"');
  if (slashes === "//") {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `${inWords(url)} is ambiguous; use ${inWords(`sqlite:${rest}`)} for a path from here, or ${inWords(`sqlite:/${rest}`)} from the root`,
    );
  }
}

function requireFileUrl(url: string): void {
  const accepted = 'a path, as in "file:data/flows.db" or "file:///var/lib/flows.db"';
  if (/^file:\/*\s*$/.test(url)) throw invalidArgument("store", url, accepted);
  // What SQLite reads there, such as `mode=memory`, would become part of a name, or be lost.
  if (/[?#]/.test(url))
    throw invalidArgument(
      "store",
      url,
      `${accepted}, without parameters; "memory:" is a store in memory, and "sqlite:" takes any name as it is`,
    );
  try {
    if (url.startsWith("file://")) fileURLToPath(url);
  } catch (cause) {
    throw new MageFlowError("INVALID_ARGUMENT", `store is ${inWords(url)}; give ${accepted}`, { cause });
  }
}

/** What is wrong with it is not shown: it may hold a password. */
function requirePostgresUrl(url: string): void {
  const database = URL.parse(url)?.pathname ?? "";
  if (/^postgres(ql)?:\/\//.test(url) && database.length > 1) return;
  throw new MageFlowError(
    "INVALID_ARGUMENT",
    'store names no PostgreSQL database; give a URL like "postgres://user@host:5432/database?schema=mageflow"',
  );
}

/** The same; this driver finds no host by itself. */
function requireMysqlUrl(url: string): void {
  const parsed = URL.parse(url);
  if (/^(mysql|mariadb):\/\//.test(url) && (parsed?.hostname ?? "") !== "" && parsed!.pathname.length > 1)
    return;
  throw new MageFlowError(
    "INVALID_ARGUMENT",
    'store names no MySQL database; give a URL like "mysql://user@host:3306/database"',
  );
}
