import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { MageFlow } from "mageflow";
import { CommandError } from "./exit-codes.ts";

export const DEFAULT_STORE = "sqlite:.mageflow/mageflow.db";

/**
 * Opens a store to look at it or to steer what is in it. One that is not there is an error: it would be made, and the reader of an
 * empty list would not know that it is the wrong directory.
 */
export async function withStore<T>(
  url: string | undefined,
  work: (mage: MageFlow) => Promise<T>,
): Promise<T> {
  const store = url ?? process.env["MAGEFLOW_STORE"] ?? DEFAULT_STORE;
  if (store === "memory:") {
    throw new CommandError(
      "USAGE",
      "a store in memory cannot be opened from here: it lives in the process that made it",
      "give the store of that process a place, as in --store sqlite:.mageflow/mageflow.db",
    );
  }
  if (/^(sqlite:)?\s*$/.test(store)) {
    throw new CommandError(
      "USAGE",
      `"${store}" names no store`,
      `give a path, as in --store ${DEFAULT_STORE}`,
    );
  }
  const file = sqliteFile(store);
  if (file !== null && !existsSync(file)) {
    throw new CommandError(
      "STORE_MISSING",
      `there is no store at ${file}`,
      "run a workflow first, change to the directory that it ran in, or name the store with --store or MAGEFLOW_STORE",
    );
  }
  await using mage = new MageFlow({ store, create: false });
  return await work(mage);
}

/** Whether two URLs name the same store, as far as can be told without opening it. */
export function isSameStore(one: string, other: string): boolean {
  if (one === other) return true;
  const file = sqliteFile(one);
  return file !== null && file === sqliteFile(other);
}

/** The file that a URL names as the library reads it, or null when it is not one: the library tells what is wrong with it. */
function sqliteFile(url: string): string | null {
  // One letter and a colon is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1];
  if (scheme !== undefined && scheme !== "sqlite" && scheme !== "file") return null;
  try {
    if (url.startsWith("file://")) return fileURLToPath(url);
  } catch {
    return null;
  }
  const path = url.replace(/^(sqlite|file):/, "").replace(/^\/{2,}/, "/");
  return path === ":memory:" ? null : resolve(path);
}
