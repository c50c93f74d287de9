import { closeSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";

/** What SQLite asks for at once at most: a page of its shared memory. */
const STRETCH = Buffer.alloc(32_768);

const NO_ROOM: readonly unknown[] = ["ENOSPC", "EFBIG", "EDQUOT"];

/** Whether a file beside the database could still grow beyond the size of its log: found out by trying. */
export function hasRoom(path: string): boolean {
  const probe = `${path}-room-${process.pid}`;
  try {
    const file = openSync(probe, "w");
    try {
      writeSync(file, STRETCH, 0, STRETCH.length, Math.max(sizeOf(path), sizeOf(`${path}-wal`)));
    } finally {
      closeSync(file);
      unlinkSync(probe);
    }
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && NO_ROOM.includes(error.code));
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
