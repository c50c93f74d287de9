import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a database is: an absolute path, or null for one in memory. */
export type Location = string | null;

/**
 * Reads `sqlite:relative/path.db`, `sqlite:/absolute/path.db`, `sqlite:///absolute/path.db`, a `file:` URL, a plain path,
 * or `:memory:`. A path is taken literally: nothing in it is decoded but in a `file://` URL.
 */
export function locate(url: string): Location {
  if (url.startsWith("file://")) return fileURLToPath(url);
  const path = url.replace(/^(sqlite|file):/, "").replace(/^\/{2,}/, "/");
  if (path === ":memory:") return null;
  if (path === "")
    throw new TypeError(`"${url}" names no file; give a path, as in sqlite:.mageflow/mageflow.db`);
  return resolve(path);
}

/** For people. */
export function describeLocation(location: Location): string {
  return location === null ? "SQLite in memory" : `SQLite at ${location}`;
}
