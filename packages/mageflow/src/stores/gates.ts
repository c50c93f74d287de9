/** The gate of a signature, of so many: FNV-1a. */
export function gateOf(id: string, gates: number): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < id.length; n++) hash = Math.imul(hash ^ id.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % gates;
}
