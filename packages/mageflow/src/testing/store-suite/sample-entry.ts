import type { Entry } from "../../core/event.ts";

/** An entry that tells of the start of `id`. `attempt` marks it, for finding it again. */
export function sampleEntry(id: string, attempt = 1): Entry {
  return { id, type: "started", status: "RUNNING", generation: 1, attempt };
}
