import { composeInput, type InputLayers, requireFit } from "./compose.ts";
import { stringify } from "./payload.ts";

/**
 * Where an input is known before anything has run, and checked: at the root, at the items and the first step of what it lets in
 * to, and so on down.
 */
export interface Door {
  /** JSON text of what comes in at this place, or null. */
  readonly incoming: string | null;
  /** The `with` of each enclosing container, from the outermost in. */
  readonly bound: readonly (string | null)[];
  /** Throws when the task's schema refuses the input. */
  readonly check: CheckInput;
}

/** Throws when the task's schema refuses a complete input. */
export type CheckInput = (task: string, layers: InputLayers) => void;

/** The door of a root: nothing comes in. */
export function frontDoor(check: CheckInput): Door {
  return { incoming: null, bound: [], check };
}

/** The door of a container's items or first step: the container's own input comes in. */
export function innerDoor(door: Door, bound: string | null, message: string | null): Door {
  const input = stringify(composeInput({ incoming: door.incoming, bound: [...door.bound, bound, message] }));
  return { ...door, incoming: input === "{}" ? null : input, bound: [...door.bound, bound] };
}

/** Checks a task that stands at a door. @throws PayloadError (`PAYLOAD`) for an input that is too large, and what the check throws. */
export function checkAt(door: Door, task: string, bound: string | null, message: string | null): void {
  const { incoming, check } = door;
  const layers = { incoming, bound: [...door.bound, bound, message] };
  requireFit(layers, `the input of "${task}"`);
  check(task, layers);
}
