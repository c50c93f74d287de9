import { UnreadableError } from "../ports/unreadable.ts";

/** What a JSON text holds that is stored with the record `id`. @throws UnreadableError, which says that `what` is not JSON. */
export function jsonOf<T>(id: string, what: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new UnreadableError(id, `${what} not JSON`, { cause });
  }
}
