import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const DEFAULT_FOLDER = ".mageflow";

/** Where the truth is kept when nobody says where. */
export const DEFAULT_STORE: string = `sqlite:${DEFAULT_FOLDER}/mageflow.db`;

/** Makes a folder that git leaves alone. One that is there is left as it is. */
export function makeFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true });
    if (made !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
  } catch {
    // The store tells what is wrong with the place when it is opened.
  }
}
