import { UnreadableError, warnOfLeftOut } from "../ports/unreadable.ts";

/** Does `work` with all of these ids but those of records that cannot be read, which `leave` is told of. */
export async function butUnreadable<T>(
  ids: readonly string[],
  work: (ids: readonly string[]) => Promise<T>,
  leave: (error: UnreadableError) => void = warnOfLeftOut,
): Promise<T> {
  let left = ids;
  for (;;) {
    try {
      return await work(left);
    } catch (error) {
      if (!(error instanceof UnreadableError) || !left.includes(error.id)) throw error;
      leave(error);
      left = left.filter((id) => id !== error.id);
    }
  }
}
