import { fateOfRoot, type ResumeEntry } from "../core/resume-report.ts";
import type { SignatureRecord } from "../core/record.ts";
import { isEnded, type Status } from "../core/status.ts";
import type { Store } from "../ports/store.ts";

const OPEN: readonly Status[] = ["PENDING", "READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED"];
const PAGE = 500;
/** Signatures that are looked at, of those that have not ended and of those that have and are not settled. */
const MOST = 10_000;

/** A page of what becomes of open workflows that were stored before an instant; `more` on the last when there are more than were looked at. */
interface OpenRoots {
  readonly entries: readonly ResumeEntry[];
  /** The instant at which the newest of them was stored, 0 when there is none. */
  readonly newest: number;
  readonly more: boolean;
}

/** Pages of {@link OpenRoots}, those that have not ended first, newest first. */
export async function* openRoots(store: Store, before: number): AsyncGenerator<OpenRoots> {
  let position = { createdAt: before, id: "" };
  for (let looked = 0; ;) {
    const page = await store.list({ roots: true, statuses: OPEN, after: position, limit: PAGE });
    looked += page.length;
    const more = page.length === PAGE;
    yield pageOf(page, more && looked >= MOST);
    if (!more || looked >= MOST) break;
    position = page.at(-1)!;
  }
  let after: string | null = null;
  for (let looked = 0; ;) {
    const page: SignatureRecord[] = await store.unsettled({ after, limit: PAGE });
    looked += page.length;
    const more = page.length === PAGE;
    const roots = page.filter(
      ({ role, status, createdAt }) => role === "root" && isEnded(status) && createdAt < before,
    );
    yield pageOf(roots, more && looked >= MOST);
    if (!more || looked >= MOST) break;
    after = page.at(-1)!.id;
  }
}

function pageOf(roots: readonly SignatureRecord[], more: boolean): OpenRoots {
  return {
    entries: roots.map(fateOfRoot),
    newest: Math.max(0, ...roots.map(({ createdAt }) => createdAt)),
    more,
  };
}
