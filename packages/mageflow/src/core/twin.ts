import { composeInput } from "./compose.ts";
import { InvalidPlanError } from "./errors.ts";
import type { Door } from "./door.ts";
import type { Place } from "./expand.ts";
import { callbackId } from "./ids.ts";
import { stringify } from "./payload.ts";
import { NO_FAMILY, type SignatureRecord } from "./record.ts";
import { type Decision, unchanged } from "./signal.ts";
import type { View } from "./view.ts";

/**
 * A durable twin: a cleanup that a task registers while it runs, to release what it has just taken. It is stored at once, in the slot
 * after all cleanups that the task has, and waits there until this generation comes to its end, by whomever. From then on it is a
 * cleanup like those of the plan, which become records only then; the one difference is that it gets what it was registered with as
 * its message, and nothing comes in to it.
 */

/** Twins of one generation: whoever looks at what an ended signature waits for, looks at all of its callbacks. */
const MOST_TWINS = 1_000;

/**
 * Where the next twin of a task is stored. `descriptor` is the JSON text that it was registered with.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) when the task has {@link MOST_TWINS} of them.
 */
export function twinPlace(view: View, owner: SignatureRecord, descriptor: string, door: Door | null): Place {
  const { id: parentId, rootId, name, generation, priority } = owner;
  const twins = owner.family?.cleanups ?? 0;
  if (twins >= MOST_TWINS) {
    throw new InvalidPlanError(
      `"${name}" has registered ${MOST_TWINS} plans that release something; let one plan release many things`,
    );
  }
  const slot = view.spec(owner).callbacks.cleanup.length + twins;
  return {
    id: callbackId(parentId, "cleanup", slot, generation),
    rootId,
    parentId,
    role: "cleanup",
    slot,
    key: null,
    priority,
    message: stringify(composeInput({ incoming: descriptor, bound: [] })),
    tags: [],
    now: view.now,
    door,
  };
}

/** Prefix of the spec ids of a twin. No other id of a workflow's specs has this character. */
export function twinPrefix({ id, rootId }: Place): string {
  return `${id.slice(rootId.length)}=`;
}

/** Counts a twin that was stored. */
export function attach(record: SignatureRecord): Decision {
  const family = record.family ?? NO_FAMILY;
  return unchanged({
    ...record,
    family: { ...family, unsettled: family.unsettled + 1, cleanups: family.cleanups + 1 },
  });
}
