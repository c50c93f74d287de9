/**
 * Copies of what a store holds, for reads beside transactions. All of it may be lost at any moment, and any call may fail or hang: whoever
 * uses a cache goes on without it. It belongs to one store, and is shared by the processes that have that store open.
 *
 * A copy of a record is kept true by turns. Who writes a record takes its place away before the commit ({@link begin}) and puts the new copy
 * there after it ({@link end}); who found no copy and read the store puts one there only while the place is still kept for it
 * ({@link fill}). So a copy that was read before a write can never come after it. Whatever is lost on the way leaves a place empty.
 *
 * A {@link Look} is not taken away by writes. It tells how old it is, and who asks decides whether that is too old.
 *
 * Not here: what is in a copy, how old one may be, when the cache is not to be asked. Instants are the cache's own, in milliseconds.
 */
export interface Cache {
  /** For people: kind and place, without secrets. */
  readonly name: string;

  /** Connects, or connects again. What belongs to other namespaces is never seen. */
  open(namespace: string): Promise<void>;

  close(): Promise<void>;

  /**
   * The copies of these records. A place that is empty is kept for `reader`, for as long as `lease` (ms) allows, unless somebody else writes
   * or reads what belongs there.
   */
  read(ids: readonly string[], reader: string, lease: number): Promise<Sighting>;

  /** Puts copies into the places that are still kept for `reader`, and gives up those for which there is none (null). */
  fill(reader: string, copies: readonly Filling[]): Promise<void>;

  /**
   * Takes away the copies of records that are about to be written, and keeps their places for `writer` for `lease` ms, whoever they were
   * kept for. Copies of everything inside the workflows `gone` are not shown for `goneFor` ms.
   *
   * Returns the ids of those that had a copy: somebody reads them.
   */
  begin(writer: string, leaving: Leaving): Promise<string[]>;

  /**
   * The write is over, and was kept or not. Puts copies into the places that are still `writer`'s; from others whatever is not kept for
   * another writer is taken away. Shows the workflows `back` again. With `ring` all others who {@link listen} are told.
   */
  end(writer: string, ending: Ending): Promise<void>;

  look(key: string, rootId: string | null): Promise<{ now: number; look: Look | null }>;

  /** Keeps a look for `life` ms, unless a younger one is there. */
  keep(key: string, look: Look, life: number): Promise<void>;

  /**
   * Calls `listener` when another process has {@link end}ed a write, and `onDeaf` when nothing can be heard any more. Returns the function
   * that ends it.
   */
  listen(listener: () => void, onDeaf: () => void): Promise<() => Promise<void>>;

  /** Everything that is there now is not there any more, for anybody. */
  forget(): Promise<void>;

  /** Adds up numbers of all processes, which are kept for some time. */
  count(numbers: Readonly<Record<string, number>>): Promise<void>;

  /** The numbers that were added up, and what the cache tells of itself. */
  usage(): Promise<CacheUsage>;

  /** Everything that is kept of this store, some of it perhaps twice. */
  entries(): AsyncIterable<CacheEntry[]>;
}

/** What becomes of places when a write is over. */
export interface Ending {
  readonly copies: readonly Filling[];
  /** Places that get no copy. */
  readonly without: readonly string[];
  /** Workflows that are not gone after all. */
  readonly back: readonly string[];
  readonly ring: boolean;
}

export interface Sighting {
  /** When the places were looked at. */
  readonly now: number;
  readonly copies: ReadonlyMap<string, Copy>;
  /** Ids of the places that are kept for who asked. */
  readonly kept: readonly string[];
}

export interface Copy {
  /** When it was put there: what it shows is no younger. */
  readonly at: number;
  readonly text: string;
}

export interface Filling {
  readonly id: string;
  readonly text: string | null;
  /** How long it is kept, in milliseconds. */
  readonly life: number;
}

export interface Leaving {
  readonly ids: readonly string[];
  readonly lease: number;
  readonly gone: readonly string[];
  readonly goneFor: number;
}

/** What was read together, such as a page. */
export interface Look {
  /** An instant before it was read: it shows everything that was committed until then. */
  readonly since: number;
  readonly text: string;
}

export interface CacheUsage {
  readonly counted: Readonly<Record<string, number>>;
  /** Bytes that the cache uses in all, for whomever, and may use at most; null when it does not tell or has no limit. */
  readonly usedBytes: number | null;
  readonly maxBytes: number | null;
  /** What it does when it is full. */
  readonly whenFull: string | null;
}

/** Something that is kept. */
export interface CacheEntry {
  readonly kind: "copy" | "place" | "look";
  /** The record's id; of a look its key. */
  readonly id: string;
  readonly bytes: number;
  /** Of a copy. */
  readonly copy: Copy | null;
}
