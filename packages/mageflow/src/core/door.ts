import { composeInput, type InputLayers, requireFit } from "./compose.ts";
import { stringify } from "./payload.ts";
import type { SignatureRecord } from "./record.ts";

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

/** Throws when the task's schema refuses a complete input; `what` says in the message which input that is. */
export type CheckInput = (task: string, layers: InputLayers, what: string) => void;

/** A task that stands at a door. */
type Standing = Pick<SignatureRecord, "id" | "rootId" | "name" | "key" | "bound" | "message">;

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
export function checkAt(door: Door, task: Standing): void {
  const { incoming, check } = door;
  const layers = { incoming, bound: [...door.bound, task.bound, task.message] };
  const what = inputOf(task);
  requireFit(layers, what);
  check(task.name, layers, what);
}

/** Below the root, the slots that lead to it tell items of one task apart. */
function inputOf({ id, rootId, name, key }: Standing): string {
  if (id === rootId) return `the input of "${name}"`;
  const slots = id.slice(rootId.length + 1);
  return `the input of "${name}" (slot ${slots}${key === null ? "" : `, key ${JSON.stringify(key)}`})`;
}
