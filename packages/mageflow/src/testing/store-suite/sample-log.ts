import type { LogLine } from "../../ports/store.ts";
import { LONG_AGO } from "./sample-record.ts";

/** A line that the signature `id` of a workflow wrote. */
export function sampleLog(id: string, message: string, other: Partial<LogLine> = {}): LogLine {
  return {
    id,
    rootId: id,
    generation: 1,
    attempt: 1,
    at: LONG_AGO,
    level: "info",
    message,
    fields: null,
    ...other,
  };
}
