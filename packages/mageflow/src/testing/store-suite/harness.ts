import type { Store } from "../../ports/store.ts";

/** What a store may lack. A harness that skips one says why; its cases are then shown as skipped, with the reason. */
export type Capability =
  /** Two transactions are open at the same time, and each locks its own rows. */
  | "rowLocks"
  /** What was committed is still there when the store is closed and another object opens it. */
  | "durable"
  /** Somebody may write to the database past the store. */
  | "editable";

/** How the suite gets at the store under test. */
export interface StoreHarness {
  /** Heads the report. */
  readonly name: string;
  /**
   * An open store, for one case. Several cases may share a database: their ids differ, and each case puts to rest what it
   * leaves behind. Nobody else may use the database meanwhile.
   */
  create(): Promise<Store>;
  /** Closes the store and removes what `create` made. */
  destroy(store: Store): Promise<void>;
  /** Closes the store and opens its database again, as a new process would. Without it `durable` cannot be tested. */
  reopen?(store: Store): Promise<Store>;
  /**
   * Runs statements on the store's database, as somebody may do beside MageFlow: the SQL stores have tables and columns of the same
   * names. Without it `editable` cannot be tested.
   */
  edit?(store: Store, sql: string): Promise<void>;
  /** Capabilities that the store lacks, with the reasons. */
  readonly skip?: Readonly<Partial<Record<Capability, string>>>;
}
