import { ancestry } from "./ancestry.ts";

/** What these stand below, each once. */
export function above(ids: readonly string[]): string[] {
  return [...new Set(ids.flatMap((id) => ancestry(id).slice(1)))];
}

/** The gate of a signature, of so many: FNV-1a. */
export function gateOf(id: string, gates: number): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < id.length; n++) hash = Math.imul(hash ^ id.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % gates;
}
