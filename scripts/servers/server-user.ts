import { execFileSync } from "node:child_process";
import { chownSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL and MariaDB refuse to run as root; as anybody else one cannot choose. */
export function whomToRunAs(name: string): User | null {
  if (process.getuid?.() !== 0) return null;
  return lookUp(name) ?? lookUp("nobody");
}

/** Root of a namespace that has no other users cannot start a server as one of them. */
export function isAloneAsRoot(): boolean {
  return process.getuid?.() === 0 && !canBecomeAnother();
}

/** Gives a folder, with all that is in it, to somebody. */
export function hand(folder: string, { uid, gid }: User): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    chownSync(join(folder, file), uid, gid);
  chownSync(folder, uid, gid);
}

function canBecomeAnother(): boolean {
  try {
    process.seteuid!(65_534);
    process.seteuid!(0);
    return true;
  } catch {
    return false;
  }
}

function lookUp(name: string): User | null {
  try {
    const id = (what: string): number =>
      Number(execFileSync("id", [what, name], { stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return null;
  }
}
