import { type Status, STATUSES } from "../core/status.ts";
import { UnreadableError } from "../ports/unreadable.ts";

/** Columns of a record that hold JSON. */
type Texts = Readonly<Record<"error" | "family" | "stop" | "deletion" | "lock" | "tags", string | null>>;

const KNOWN: ReadonlySet<string> = new Set(STATUSES);

export function isStatus(text: string): text is Status {
  return KNOWN.has(text);
}

export function fromJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

/** Why a record that is stored like this cannot be read. */
export function unreadable(id: string, status: string, texts: Texts, cause?: unknown): UnreadableError {
  return new UnreadableError(id, whatIsWrong(status, texts), { cause });
}

function whatIsWrong(status: string, texts: Texts): string {
  if (!isStatus(status)) return `its status "${status}" is none`;
  for (const [column, text] of Object.entries(texts)) {
    try {
      fromJson(text);
    } catch {
      return `its column ${column} is not JSON`;
    }
  }
  return "it is not what it should be";
}
