import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that is told from a later one of the same number. */
export interface Identity {
  readonly pid: number;
  /** When it was started, as the system says it. */
  readonly birth: string;
}

/** Null when there is none. */
export function identify(pid: number): Identity | null {
  const birth = process.platform === "linux" ? birthOnLinux(pid) : birthByPs(pid);
  return birth === null ? null : { pid, birth };
}

export function isAlive({ pid, birth }: Identity): boolean {
  return identify(pid)?.birth === birth;
}

/** Ticks since the machine came up. One that has ended and whose parent has not asked for it is gone. */
function birthOnLinux(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program, in parentheses, may hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : fields[19]!;
  } catch {
    return null;
  }
}

function birthByPs(pid: number): string | null {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}
