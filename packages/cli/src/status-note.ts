import type { SignatureView } from "mageflow";
import { clip } from "./plain-text.ts";
import { span } from "./span.ts";

/**
 * What there is to say beside a status: of what is marked for deletion how far it is and when it is removed, of what was interrupted
 * why, and whether something inside still stops or had to be given up. Empty when the status says it all.
 */
export function statusNote(
  { execution, deletion, interrupted }: Pick<SignatureView, "execution" | "deletion" | "interrupted">,
  now: number,
): string {
  const notes = deletion === null ? [] : [execution, removedIn(deletion.purgeAt, now)];
  if (interrupted?.reason) notes.push(clip(interrupted.reason, 60));
  if (interrupted?.clean === null) notes.push("stopping");
  if (interrupted?.clean === false) notes.push("abandoned");
  return notes.join(", ");
}

/** The time is the earliest: what is open then is removed later. */
function removedIn(purgeAt: number, now: number): string {
  return purgeAt > now ? `removed in ${span(purgeAt - now)}` : "to be removed now";
}
