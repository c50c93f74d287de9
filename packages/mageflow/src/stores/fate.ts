import type { Stamp } from "../ports/store.ts";

/**
 * What became of a commit whose answer was lost: the last stamp of who made it, or "open" when it may still be kept. Who has ended since
 * the stamp was looked for first is found by looking once more.
 */
export async function fateOf(
  { by, n }: Stamp,
  stamps: { last(by: string): Promise<number> },
  isUnderWay: () => Promise<boolean>,
): Promise<number | "open"> {
  if ((await stamps.last(by)) === n) return n;
  return (await isUnderWay()) ? "open" : stamps.last(by);
}
