import type { Role, Status } from "mageflow";

/** What a commit has left of a signature. */
export interface Entry {
  /** In the order of the commits. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
  readonly rootId: string;
  readonly role: Role;
  readonly key: string | null;
  readonly kind: string;
  readonly status: Status;
  readonly generation: number;
  readonly origin: number;
  readonly epoch: number;
  /** A worker has taken it in this commit. */
  readonly claimed: boolean;
  readonly born: boolean;
  /** The order to stop that stands in it, and until when code that runs may end by itself. */
  readonly stop: "interrupt" | "cancel" | null;
  readonly stopUntil: number | null;
  readonly finishedAt: number | null;
}

/**
 * A witness beside MageFlow in its own database: triggers note each change of a status, generation, epoch or order to stop in the
 * transaction that makes it. It outlives what it tells of, and its order is that of the commits.
 */
export interface Witness {
  /** Begins to note. */
  begin(): Promise<void>;

  /** How far the history goes. */
  seq(): Promise<number>;

  history(): Promise<Entry[]>;

  /** Where in the history workflows were removed, and by which action. */
  gone(): Promise<Map<string, { seq: number; action: string }>>;

  /** What keeps a workflow from being over: null when it is settled, unmarked and awaits nothing, or has left nothing. */
  unrest(rootId: string): Promise<string | null>;

  /** Rows that mention a workflow or a part of it in any table, as `table column id`; tombstone, audit trail and reports apart. */
  remains(rootId: string): Promise<string[]>;

  close(): Promise<void>;
}

/** A row of `signatures` as far as it tells how a workflow rests. */
export interface Rest {
  readonly status: string;
  readonly milestone: number;
  readonly stopped: boolean;
  readonly marked: boolean;
}

/** Null when it is settled, unmarked and awaits nothing. */
export function unrestOf({ status, milestone, stopped, marked }: Rest): string | null {
  if (milestone === 3 && !stopped && !marked) return null;
  return [`${status} at milestone ${milestone}`, stopped ? "stopped" : "", marked ? "marked" : ""]
    .filter((part) => part !== "")
    .join(", ");
}

/** What tells of a workflow when it is gone. */
export const OUTLIVES: readonly string[] = ["tombstones", "audit", "reports"];
