import type { Stop } from "../../core/record.ts";
import { FAR_AHEAD } from "./sample-record.ts";

/** An order to stop that somebody gave to what has it, with a long grace. */
export function sampleStop(other: Partial<Stop> = {}): Stop {
  return {
    verb: "interrupt",
    actor: "somebody",
    reason: null,
    by: null,
    own: true,
    until: FAR_AHEAD,
    clean: true,
    resumes: false,
    done: false,
    ...other,
  };
}
