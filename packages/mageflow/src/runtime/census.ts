import { emptyReport, type ResumeEntry, type ResumeReport, withEntries } from "../core/resume-report.ts";
import { openRoots } from "./open-roots.ts";
import type { TakeOverParts } from "./take-over.ts";

/** Pages that one round looks at, so that it does not hold up what else the reconciler has to do. */
const PAGES = 10;

type CensusParts = Pick<TakeOverParts, "store" | "committer" | "session" | "handlers" | "newId">;

interface Walk {
  /** The start that the last report tells of. */
  readonly from: number;
  readonly pages: AsyncGenerator<ResumeEntry[]>;
}

/**
 * Reports what becomes of the open workflows that a process finds when it starts. Each report tells of those that were stored since the
 * start that the report before it tells of, so that whatever the number of processes that start at once, each workflow is told of
 * once, and who starts and finds nothing new tells nothing.
 *
 * A process takes its span by its first report, and adds to that as it goes on. One that dies meanwhile leaves a report that says that there
 * is `more`.
 */
export class Census {
  readonly #parts: CensusParts;
  /** The start of this process, by the store's time, until all is told. */
  #start: number | null = null;
  #walk: Walk | null = null;
  /** Found, and not told yet: the store may refuse. */
  #found: ResumeEntry[] = [];
  #report: ResumeReport | null = null;

  constructor(parts: CensusParts) {
    this.#parts = parts;
  }

  /** Who knows no task only looks on. */
  begin(start: number): void {
    if (this.#parts.handlers.size > 0) this.#start = start;
  }

  /** Goes on, by so much as a round may take. */
  async round(): Promise<void> {
    const start = this.#start;
    if (start === null) return;
    this.#walk ??= await this.#begun(start);
    const { from, pages } = this.#walk;
    const over = this.#found.length === 0 && (await this.#look(pages));
    if (this.#found.length > 0 || (over && this.#report !== null)) {
      this.#report = await this.#tell(start, from, !over);
      this.#found = [];
      // Another process that started has told meanwhile: what is left is the span after its start.
      if (this.#report === null) this.#walk = null;
    }
    if (over && this.#walk !== null) this.#start = null;
  }

  /** Whether that was all. */
  async #look(pages: AsyncGenerator<ResumeEntry[]>): Promise<boolean> {
    try {
      for (let n = 0; n < PAGES; n++) {
        const page = await pages.next();
        if (page.done === true) return true;
        this.#found.push(...page.value);
      }
      return false;
    } catch (error) {
      // Pages do not go on behind a refusal: all over again, or what has been told stays with `more`.
      this.#found = [];
      if (this.#report === null) this.#walk = null;
      else this.#start = null;
      throw error;
    }
  }

  async #begun(start: number): Promise<Walk> {
    const { committer, store } = this.#parts;
    const last = await committer.run({ locks: [], apply: ({ tx }) => tx.lastStart() });
    const from = last ?? 0;
    return { from, pages: openRoots(store, { from, before: start }) };
  }

  /** Adds to the report, or begins it; null when the span is not free any more. */
  #tell(start: number, from: number, more: boolean): Promise<ResumeReport | null> {
    const { committer, newId, session } = this.#parts;
    const begun = this.#report ?? emptyReport({ id: newId(), at: start, by: session, reason: "start" });
    const report = { ...withEntries(begun, this.#found), more };
    return committer.run({
      locks: [],
      apply: async (batch) => {
        if (this.#report === null && ((await batch.tx.lastStart()) ?? 0) !== from) return null;
        batch.extras.reports.push(report);
        return report;
      },
    });
  }
}
