/**
 * A number in [0, 1) that depends on the text alone and is spread evenly over texts. Jitter and stagger use it in
 * place of a random source: the same signature and attempt always get the same draw, so decisions stay pure and a
 * simulated run repeats. FNV-1a (32 bit, http://www.isthe.com/chongo/tech/comp/fnv/), finished with the murmur3 mixer
 * because FNV's high bits change little over texts that differ in their last characters.
 */
export function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
