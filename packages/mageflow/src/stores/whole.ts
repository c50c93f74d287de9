import type { SignatureRecord } from "../core/record.ts";

/**
 * At most `limit` of what `find` locks, and as many as there are. While it waits for what others have locked, that may become something
 * else: it is missing in what is found then, and so is what comes behind it, or it belongs to another stretch of what is looked through,
 * which showed it as it was. Hence it is looked for until the same is found again; whatever was found is locked, and stays as it is.
 */
export async function whole(
  limit: number,
  find: () => Promise<SignatureRecord[]>,
): Promise<SignatureRecord[]> {
  let found = await find();
  while (found.length < limit) {
    const again = await find();
    if (isSame(found, again)) break;
    found = again;
  }
  return found;
}

function isSame(one: readonly SignatureRecord[], other: readonly SignatureRecord[]): boolean {
  return one.length === other.length && one.every(({ id }, n) => id === other[n]!.id);
}
