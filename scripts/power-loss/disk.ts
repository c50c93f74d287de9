import type { Random } from "../chaos/random.ts";
import { FileContent } from "./file-content.ts";
import type { Deed } from "./recording.ts";

/** What of the changes that nothing has synced a power loss takes: all; those behind one of them; any; any of their sectors; or nothing. */
export const LOSSES = ["all", "behind", "any", "sectors"] as const;
export type Loss = (typeof LOSSES)[number] | "nothing";

/** What there is after a power loss: the files, and what the process had noted elsewhere by then. */
export interface Remains {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly diary: string;
}

type Naming = Extract<Deed, { what: "made" | "removed" }>;

/**
 * The disk after a loss of power at line `at` of a recording. What was written to a file before a sync of it began is there when that sync
 * was over by then; of the rest `loss` says what is gone. So are the names: those of files that were synced, and those before a sync of the
 * folder, are there, and of the later ones the first so many. A `deaf` disk has synced nothing but names, whatever it was told.
 */
export function remainsOf(
  deeds: readonly Deed[],
  at: number,
  loss: Loss,
  draw: Random,
  deaf = false,
): Remains {
  const past = deeds.filter(({ from }) => from < at);
  /** By file: the beginning of the last sync that was over. */
  const synced = new Map<string, number>();
  let namesSynced = -1;
  for (const deed of past) {
    if (deed.until >= at) continue;
    if (deed.what === "sync") synced.set(deed.inode, deed.from);
    if (deed.what === "syncNames") namesSynced = deed.from;
  }
  const changes = past.filter((deed) => deed.what === "write" || deed.what === "cut");
  const pending = new Set(changes.filter(({ inode, until }) => deaf || until >= (synced.get(inode) ?? -1)));
  let left = loss === "behind" ? draw.whole(0, pending.size) : 0;
  const contents = new Map<string, FileContent>();
  for (const change of changes) {
    const content = contents.get(change.inode) ?? new FileContent();
    contents.set(change.inode, content);
    if (!pending.has(change) || loss === "nothing") content.change(change);
    else if (loss === "sectors") content.change(change, () => draw.chance(0.5));
    else if (loss === "any" ? draw.chance(0.5) : left-- > 0) content.change(change);
  }
  const files = new Map<string, Buffer>();
  for (const { what, path, inode } of namings()) {
    if (what === "made") files.set(path, contents.get(inode)?.bytes ?? Buffer.alloc(0));
    else files.delete(path);
  }
  const noted = past.filter((deed) => deed.what === "noted");
  return { files, diary: noted.map(({ text }) => text).join("") };

  function namings(): readonly Naming[] {
    const all = past.filter((deed): deed is Naming => deed.what === "made" || deed.what === "removed");
    const sure =
      1 +
      all.findLastIndex(
        ({ what, inode, until }) => until < namesSynced || (what === "made" && synced.has(inode)),
      );
    if (loss === "nothing") return all;
    return all.slice(0, loss === "all" ? sure : draw.whole(sure, all.length));
  }
}
