import { type Duration, millisecondsGiven } from "../core/duration.ts";
import { IllegalTransitionError, StaleConfirmationError } from "../core/errors.ts";
import { requireUnlocked } from "../core/lock.ts";
import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { decode } from "../core/payload.ts";
import { readReason } from "../core/reason.ts";
import { isCancelled, type SignatureRecord } from "../core/record.ts";
import { record as audit } from "./audit.ts";
import { missing } from "./control.ts";
import { count, type Growing, type Impact, MOST_GROWING, MOST_LOGS } from "./impact.ts";
import type { Runtime } from "./runtime.ts";
import { Stillness } from "./stillness.ts";

/** A cancellation that waits to be confirmed. */
export interface CancelPlan {
  /** The roots that it is good for. */
  readonly targets: readonly { readonly id: string; readonly name: string }[];
  readonly impact: Impact;
  /** For `mage.confirmCancel`, in any process. */
  readonly token: string;
  /** Epoch milliseconds; five minutes from the plan. */
  readonly expiresAt: number;
  /** Carries it out. Again is a no-op, unless its grace is over sooner than that of the first time. */
  confirm(options?: CancelOptions): Promise<void>;
}

export interface CancelOptions {
  reason?: string;
  /** What runs gets to end by itself. Default `"10s"`. */
  grace?: Duration;
  /** The id of the workflow that is meant: a confirmation of anything else is refused. Default: whatever it was given for. */
  target?: string;
  /** The token of the lock that whoever confirms holds. */
  lock?: string;
}

const CANCEL: OptionNames<CancelOptions> = { reason: true, grace: true, target: true, lock: true };

/** A root that a confirmation is good for, as it was when it was looked at. */
type Bound = {
  readonly id: string;
  readonly name: string;
  readonly generation: number;
  readonly descendants: number;
  /** Those of them that it can grow by. */
  readonly planned: number;
};

const GOOD_FOR_MS = 300_000;
export const GRACE_MS = 10_000;

/**
 * Looks at what cancelling these workflows would remove, page by page, and gives out the token that it takes to do so. `held` tells
 * the token of the lock that the caller holds when it confirms, or null.
 *
 * @throws NotFoundError (`NOT_FOUND`), GoneError (`GONE`), IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a root.
 */
export async function planCancel(
  runtime: Runtime,
  ids: readonly string[],
  held: () => string | null,
): Promise<CancelPlan> {
  const { truth: store, clock } = runtime;
  const bounds: Bound[] = [];
  const impact = {
    workflows: 0,
    descendants: 0,
    running: 0,
    callbacks: 0,
    logs: 0,
    moreLogs: false,
    bytes: 0,
  };
  for (const id of ids) {
    const [root] = await store.get([id]);
    if (root === undefined) throw await missing(store, id);
    if (root.role !== "root") {
      throw new IllegalTransitionError(
        id,
        "cancel",
        root.status,
        `cancel the root of its workflow, "${root.rootId}"`,
      );
    }
    const { descendants, planned, running, callbacks, bytes } = await count(store, clock, root);
    bounds.push({ id, name: root.name, generation: root.generation, descendants, planned });
    impact.workflows++;
    impact.descendants += descendants;
    impact.running += running;
    impact.callbacks += callbacks;
    impact.bytes += bytes;
    const logs = await store.logCount(id, MOST_LOGS + 1);
    impact.logs += Math.min(logs, MOST_LOGS);
    impact.moreLogs ||= logs > MOST_LOGS;
    await clock.turn();
  }
  const token = runtime.newToken();
  const expiresAt = await runtime.commit({
    locks: [],
    apply: (batch) => {
      const until = batch.now + GOOD_FOR_MS;
      batch.extras.tickets.push({ token, body: JSON.stringify(bounds), expiresAt: until });
      return until;
    },
  });
  const targets = bounds.map(({ id, name }) => ({ id, name }));
  return {
    targets,
    impact,
    token,
    expiresAt,
    confirm: (options) => confirmCancel(runtime, token, options, held()),
  };
}

/**
 * Cancels what the token was given for: nothing in it starts any more, what runs is stopped, cleanups run, and then all of it is
 * removed but for the audit trail and a tombstone. All workflows are cancelled, or none.
 *
 * @throws StaleConfirmationError (`STALE_CONFIRMATION`) when the token is not known or has expired, is not for `target` alone, or a
 *   workflow began again, or got more steps or items, since it was given out; LockedError (`LOCKED`) for one that somebody holds, as a whole or in part.
 */
export async function confirmCancel(
  runtime: Runtime,
  token: string,
  options: CancelOptions = {},
  held: string | null = null,
): Promise<void> {
  const { truth: store, clock, reconciler } = runtime;
  requireArguments(options, CANCEL, "a confirmation");
  const { reason, grace = GRACE_MS, target, lock = held } = options;
  const order = { reason: readReason(reason), grace: millisecondsGiven(grace, "grace") };
  const body = await runtime.commit({
    locks: [],
    apply: async (batch) => (await batch.tx.ticket(token))?.body ?? null,
  });
  if (body === null) throw new StaleConfirmationError("the confirmation is not known here, or has expired");
  const bounds = decode(body) as Bound[];
  if (target !== undefined) requireTarget(bounds, target);
  const open: Bound[] = [];
  let growing: Growing[] = [];
  await using stillness = new Stillness(runtime, lock);
  for (const bound of bounds) {
    const [root] = await store.get([bound.id]);
    if (root === undefined) continue;
    if (!isCancelled(root)) {
      requireSame(root, bound);
      const noted = [...growing];
      let { planned } = await count(store, clock, root, noted);
      if (noted.length <= MOST_GROWING) growing = noted;
      else {
        await stillness.keep(bound.id);
        ({ planned } = await count(store, clock, root));
      }
      if (planned > bound.planned) throw grown(bound.id);
    }
    open.push(bound);
  }
  await cancelAll(runtime, open, { growing, stillness }, order);
  await reconciler.tick();
}

/** All of them in one transaction, or none. What was `growing` when it was counted, or was kept still for it, has not grown since. */
async function cancelAll(
  runtime: Runtime,
  bounds: readonly Bound[],
  { growing, stillness }: { growing: readonly Growing[]; stillness: Stillness },
  { reason, grace }: { reason: string | null; grace: number },
): Promise<void> {
  const { actor } = runtime;
  await runtime.commit({
    locks: [...bounds, ...growing].map(({ id }) => id),
    apply: async (batch) => {
      const order = { type: "halt", verb: "cancel", actor, reason, grace, by: null } as const;
      const going: SignatureRecord[] = [];
      const others: { root: SignatureRecord; descendants: number }[] = [];
      for (const bound of bounds) {
        const root = batch.get(bound.id);
        if (root === undefined || batch.isRemoved(root)) continue;
        if (isCancelled(root)) {
          going.push(root);
          continue;
        }
        requireSame(root, bound);
        if (!stillness.isKept(root, batch.now)) throw grown(root.id);
        requireUnlocked(batch, root, stillness.tokenOf(root.id));
        others.push({ root, descendants: bound.descendants });
      }
      for (const { id, total } of growing) if ((batch.get(id)?.family?.total ?? 0) > total) throw grown(id);
      for (const root of going) {
        if (batch.tell(root, order) !== root)
          await audit(batch, { actor, action: "hasten", target: root.id, reason });
      }
      for (const { root, descendants } of others) {
        const { id, name, kind, generation } = root;
        const details = { name, kind, generation, descendants };
        await audit(batch, { actor, action: "cancel", target: id, reason, details });
        // Whoever runs something by its key from now on is not answered with what is being removed.
        batch.put({ ...batch.tell(root, order), key: null });
      }
    },
  });
}

function requireTarget(bounds: readonly Bound[], target: string): void {
  const [first, ...others] = bounds;
  if (first?.id === target && others.length === 0) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const what = first === undefined ? "nothing" : `"${first.name}" (${first.id})${more}`;
  throw new StaleConfirmationError(`the confirmation is for ${what}, not for "${target}"`);
}

function grown(id: string): StaleConfirmationError {
  return new StaleConfirmationError(`"${id}" has grown since`);
}

function requireSame({ id, generation }: SignatureRecord, bound: Bound): void {
  if (generation !== bound.generation) throw new StaleConfirmationError(`"${id}" has begun again since`);
}
