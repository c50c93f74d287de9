import { fateOfRoot, type ResumeEntry } from "../core/resume-report.ts";
import type { SignatureRecord } from "../core/record.ts";
import { isEnded, type Status } from "../core/status.ts";
import type { Store } from "../ports/store.ts";

const OPEN: readonly Status[] = ["PENDING", "READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED"];
const PAGE = 500;

/** Instants: workflows that were created at `from` or later, and before `before`. */
export interface Span {
  readonly from: number;
  readonly before: number;
}

/**
 * What becomes of open workflows, a page at a time. Those that have ended and are not settled come first: a workflow that ends while
 * this goes on is then seen once, and not as both.
 */
export async function* openRoots(store: Store, { from, before }: Span): AsyncGenerator<ResumeEntry[]> {
  for (let after: string | null = null; ;) {
    const page: SignatureRecord[] = await store.unsettled({ after, limit: PAGE });
    yield fates(
      page.filter(
        ({ role, status, createdAt }) =>
          role === "root" && isEnded(status) && createdAt >= from && createdAt < before,
      ),
    );
    if (page.length < PAGE) break;
    after = page.at(-1)!.id;
  }
  for (let after = { createdAt: before, id: "" }; ;) {
    const page = await store.list({ roots: true, statuses: OPEN, after, limit: PAGE });
    yield fates(page.filter(({ createdAt }) => createdAt >= from));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || last.createdAt < from) break;
    after = last;
  }
}

function fates(roots: readonly SignatureRecord[]): ResumeEntry[] {
  return roots.flatMap((root) => fateOfRoot(root) ?? []);
}
