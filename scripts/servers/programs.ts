import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where servers are installed but on no PATH: those of root, and each version of PostgreSQL in a folder of its own. */
const SYSTEM = ["/usr/local/sbin", "/usr/sbin"];
const POSTGRES = "/usr/lib/postgresql";

/** The first folder that has all these programs, the newest version of PostgreSQL before the others; null when none has. */
export function folderOf(programs: readonly string[]): string | null {
  const paths = (process.env["PATH"] ?? "").split(delimiter).filter((path) => path !== "");
  const folders = [...paths, ...SYSTEM, ...versions().map((version) => join(POSTGRES, version, "bin"))];
  return folders.find((folder) => programs.every((program) => isProgram(join(folder, program)))) ?? null;
}

/** Where a program is; null when it is not installed. */
export function findProgram(program: string): string | null {
  const folder = folderOf([program]);
  return folder === null ? null : join(folder, program);
}

function versions(): string[] {
  try {
    return readdirSync(POSTGRES).toSorted((a, b) => Number(b) - Number(a));
  } catch {
    return [];
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
