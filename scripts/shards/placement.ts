import { createHash } from "node:crypto";

/**
 * Where a workflow lives. Its id begins with the letter of its shard, so that whoever has an id, of the root or of anything inside, knows the
 * shard without asking; and nothing ever moves because there are more shards.
 */
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export function shardId(shard: number, rest: string): string {
  return `${LETTERS[shard]!}${rest}`;
}

export function shardOf(id: string): number {
  return LETTERS.indexOf(id[0]!);
}

/** Rendezvous hashing: of all shards the one that draws the highest number for this key. One more shard takes its own share and nothing else. */
export function rendezvous(key: string, shards: number): number {
  let [best, most] = [0, -1];
  for (let shard = 0; shard < shards; shard++) {
    const drawn = number(`${shard} ${key}`);
    if (drawn > most) [best, most] = [shard, drawn];
  }
  return best;
}

/** What most take first: nearly all keys move when a shard is added. */
export function modulo(key: string, shards: number): number {
  return number(key) % shards;
}

function number(text: string): number {
  return createHash("sha1").update(text).digest().readUIntBE(0, 6);
}
