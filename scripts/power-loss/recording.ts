import { readFileSync } from "node:fs";
import { dirname } from "node:path";

/** A file by its name and how many of that name were made before it. */
type Inode = string;

/** What a thread did to the files of a store, in lines of the trace: it had begun before `from`, and was over at `until`. */
export type Deed = { readonly thread: string; readonly from: number; readonly until: number } & (
  | { readonly what: "write"; readonly inode: Inode; readonly offset: number; readonly data: Buffer }
  | { readonly what: "cut"; readonly inode: Inode; readonly size: number }
  | { readonly what: "sync"; readonly inode: Inode }
  /** Of the folder: the names in it. */
  | { readonly what: "syncNames" }
  | { readonly what: "made" | "removed"; readonly path: string; readonly inode: Inode }
  | { readonly what: "noted"; readonly text: string }
);

/** All calls that change a file, those that SQLite does not use on Linux included. */
const CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename,pwritev,fallocate";
/** Texts whole, byte by byte: SQLite writes a page (4 KiB) at a time, and the process a line of its diary. */
export const TRACED: readonly string[] = [
  "-f",
  "-y",
  "-xx",
  "-s",
  "70000",
  "--seccomp-bpf",
  "-e",
  `trace=${CALLS}`,
];

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (-?\d+)/;
const BEGUN = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/;
const OVER = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)/;
const DESCRIPTOR = /^\d+<([^>]*)>(\(deleted\))?/;

/**
 * Reads what `strace` has told of a process that used a store. `files` are those of the store that keep anything; `diary` is where the process
 * notes what it was told.
 *
 * @throws Error for a call that changes such a file in a way that is not known here.
 */
export function readRecording(trace: string, files: readonly string[], diary: string): Deed[] {
  const folder = dirname(diary);
  const inodes = new Map<string, Inode>();
  const made = new Map<string, number>();
  const begun = new Map<string, { at: number; args: string }>();
  const deeds: Deed[] = [];
  const lines = readFileSync(trace, "latin1").split("\n");
  for (const [at, line] of lines.entries()) {
    const start = BEGUN.exec(line);
    if (start !== null) {
      begun.set(start[1]!, { at, args: start[3]! });
      continue;
    }
    const whole = WHOLE.exec(line);
    const over = whole === null ? OVER.exec(line) : null;
    const call = whole ?? over;
    if (call === null || Number(call[4]) < 0) continue;
    const [, thread, name, rest, returned] = call;
    const before = over === null ? undefined : begun.get(thread!);
    const time = { thread: thread!, from: before?.at ?? at, until: at };
    const deed = read(name!, `${before?.args ?? ""}${rest}`, Number(returned));
    if (deed !== null) deeds.push({ ...time, ...deed } as Deed);
  }
  return deeds.sort((a, b) => a.from - b.from);

  function read(name: string, args: string, returned: number): object | null {
    const at = DESCRIPTOR.exec(args);
    if (name === "openat") return open(text(args.split(", ")[1]!), args);
    if (name === "unlink") return remove(text(args));
    if (at === null || at[2] !== undefined) return null;
    const path = bytes(at[1]!).toString();
    const rest = args.slice(at[0].length + 2);
    if (path === diary && name === "write") return { what: "noted", text: text(rest) };
    if (path === folder && name === "fsync") return { what: "syncNames" };
    if (!files.includes(path)) return null;
    const inode = inodes.get(path);
    if (inode === undefined) throw new Error(`${path} was used and not made`);
    switch (name) {
      case "pwrite64": {
        const [data, length, offset] = rest.split(", ");
        const written = bytes(data!.slice(1, -1));
        if (written.length !== Number(length) || returned !== written.length)
          throw new Error(`a write of ${length} bytes to ${path} has written ${returned}`);
        return { what: "write", inode, offset: Number(offset), data: written };
      }
      case "ftruncate":
        return { what: "cut", inode, size: Number(rest) };
      case "fsync":
      case "fdatasync":
        return { what: "sync", inode };
      default:
        throw new Error(`${name} on ${path} is not known here`);
    }
  }

  function open(path: string, args: string): object | null {
    if (!files.includes(path) || !args.includes("O_CREAT") || inodes.has(path)) return null;
    const nth = made.get(path) ?? 0;
    made.set(path, nth + 1);
    const inode = `${path} ${nth}`;
    inodes.set(path, inode);
    return { what: "made", path, inode };
  }

  function remove(path: string): object | null {
    const inode = inodes.get(path);
    inodes.delete(path);
    return inode === undefined ? null : { what: "removed", path, inode };
  }
}

/** Of a text in the trace, in quotes. */
function text(quoted: string): string {
  return bytes(quoted.slice(1, quoted.lastIndexOf('"'))).toString();
}

/** Each byte of a text is told as `\xNN`. */
function bytes(told: string): Buffer {
  return Buffer.from(told.replaceAll("\\x", ""), "hex");
}
