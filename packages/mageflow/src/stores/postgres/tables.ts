import type { ServerTables } from "../server.ts";
import type { TransactionTables } from "../transaction-tables.ts";
import { AuditTable } from "./audit-table.ts";
import type { Connection } from "./connection.ts";
import { DraftTable } from "./draft-table.ts";
import { JournalTable } from "./journal-table.ts";
import { LogTable } from "./log-table.ts";
import { insertRecords } from "./insert-records.ts";
import { Newest } from "./newest.ts";
import { NoteTable } from "./note-table.ts";
import { ReportTable } from "./report-table.ts";
import { dropTags } from "./root-tags.ts";
import { SignaturePages } from "./signature-pages.ts";
import { SignatureTable } from "./signature-table.ts";
import { SpecTable } from "./spec-table.ts";
import { StampTable } from "./stamp-table.ts";
import { TicketTable } from "./ticket-table.ts";
import { TombstoneTable } from "./tombstone-table.ts";
import { updateRecords } from "./update-records.ts";
import { Waiting } from "./waiting.ts";
import { WorkerTable } from "./worker-table.ts";

/** Everything in the database, over one connection. */
export class Tables implements ServerTables, TransactionTables {
  readonly signatures: SignatureTable;
  readonly records: TransactionTables["records"];
  readonly pages: SignaturePages;
  readonly waiting: Waiting;
  readonly newest: Newest;
  readonly drafts: DraftTable;
  readonly specs: SpecTable;
  readonly journals: JournalTable;
  readonly logs: LogTable;
  readonly notes: NoteTable;
  readonly workers: WorkerTable;
  readonly tombstones: TombstoneTable;
  readonly audit: AuditTable;
  readonly tickets: TicketTable;
  readonly reports: ReportTable;
  readonly stamps: StampTable;

  constructor(db: Connection) {
    this.signatures = new SignatureTable(db);
    this.records = {
      insert: (records) => insertRecords(db, records),
      update: (updates) => updateRecords(db, updates),
      dropTags: (roots) => dropTags(db, roots),
    };
    this.pages = new SignaturePages(db);
    this.waiting = new Waiting(db);
    this.newest = new Newest(db);
    this.drafts = new DraftTable(db);
    this.specs = new SpecTable(db);
    this.journals = new JournalTable(db);
    this.logs = new LogTable(db);
    this.notes = new NoteTable(db);
    this.workers = new WorkerTable(db);
    this.tombstones = new TombstoneTable(db);
    this.audit = new AuditTable(db);
    this.tickets = new TicketTable(db);
    this.reports = new ReportTable(db);
    this.stamps = new StampTable(db);
  }
}
