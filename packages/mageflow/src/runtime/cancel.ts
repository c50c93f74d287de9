import { IllegalTransitionError, StaleConfirmationError } from "../core/errors.ts";
import { isCallback } from "../core/ids.ts";
import { decode } from "../core/payload.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";
import { record as audit } from "./audit.ts";
import { missing } from "./control.ts";
import type { Runtime } from "./runtime.ts";

/** What a cancellation would remove. */
export interface Impact {
  /** Signatures under the root, callbacks included. */
  readonly descendants: number;
  readonly running: number;
  readonly callbacks: number;
  readonly logs: number;
  /** Of inputs, results and errors. */
  readonly bytes: number;
}

/** A cancellation that waits to be confirmed. */
export interface CancelPlan {
  readonly impact: Impact;
  /** For `mage.confirmCancel`, in any process. */
  readonly token: string;
  /** Epoch milliseconds; five minutes from the plan. */
  readonly expiresAt: number;
  /** Carries it out. Again is a no-op. */
  confirm(options?: CancelOptions): Promise<void>;
}

export interface CancelOptions {
  reason?: string;
  /** What runs gets to end by itself. Default 10 s. */
  grace?: number;
}

/** What a confirmation is bound to. */
type Bound = {
  readonly id: string;
  readonly generation: number;
  readonly descendants: number;
};

const GOOD_FOR_MS = 300_000;
export const GRACE_MS = 10_000;
const PAGE = 500;

/**
 * Looks at what cancelling the workflow would remove, page by page, and gives out the token that it takes to do so.
 *
 * @throws NotFoundError (`NOT_FOUND`), GoneError (`GONE`), IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a root.
 */
export async function planCancel(runtime: Runtime, id: string): Promise<CancelPlan> {
  const { store, committer } = runtime;
  const [root] = await store.get([id]);
  if (root === undefined) throw await missing(store, id);
  if (root.role !== "root") {
    throw new IllegalTransitionError(id, "cancel", root.status, "cancel the root of its workflow");
  }
  const impact = { ...(await census(store, root)), logs: await store.logCount(id) };
  const token = runtime.newToken();
  const bound: Bound = { id, generation: root.generation, descendants: impact.descendants };
  const expiresAt = await committer.run({
    locks: [],
    apply: (batch) => {
      const until = batch.now + GOOD_FOR_MS;
      batch.extras.tickets.push({ token, body: JSON.stringify(bound), expiresAt: until });
      return until;
    },
  });
  return { impact, token, expiresAt, confirm: (options) => confirmCancel(runtime, token, options) };
}

/**
 * Cancels what the token was given for: nothing in it starts any more, what runs is stopped, cleanups run, and then all of it is
 * removed but for the audit trail and a tombstone.
 *
 * @throws StaleConfirmationError (`STALE_CONFIRMATION`) when the token is not known or has expired, or the workflow began again or
 *   has grown since it was given out.
 */
export async function confirmCancel(
  runtime: Runtime,
  token: string,
  { reason, grace = GRACE_MS }: CancelOptions = {},
): Promise<void> {
  const { committer, store, actor } = runtime;
  const bound = await committer.run({
    locks: [],
    apply: async (batch) => (await batch.tx.ticket(token))?.body ?? null,
  });
  if (bound === null) throw new StaleConfirmationError("the confirmation is not known here, or has expired");
  const { id, generation, descendants } = decode(bound) as Bound;
  const [root] = await store.get([id]);
  if (root === undefined || root.stop?.verb === "cancel") return;
  const { descendants: now } = await census(store, root);
  await committer.run({
    locks: [id],
    apply: async (batch) => {
      const record = batch.get(id);
      if (record === undefined || record.stop?.verb === "cancel" || record.deletion?.purged === true) return;
      if (record.generation !== generation) throw new StaleConfirmationError(`"${id}" has begun again since`);
      if (now > descendants) throw new StaleConfirmationError(`"${id}" has grown since`);
      await audit(batch, {
        actor,
        action: "cancel",
        target: id,
        reason: reason ?? null,
        details: { name: record.name, kind: record.kind, generation, descendants },
      });
      batch.tell(record, { type: "halt", verb: "cancel", actor, reason: reason ?? null, grace, by: null });
    },
  });
  await runtime.reconciler.tick();
}

async function census(store: Store, root: SignatureRecord): Promise<Omit<Impact, "logs">> {
  let [descendants, running, callbacks] = [0, root.status === "RUNNING" ? 1 : 0, 0];
  let bytes = size(root);
  for (let after = root.id; ;) {
    const page = await store.scan({ after, limit: PAGE });
    const inside = page.filter(({ id }) => id.startsWith(`${root.id}.`));
    for (const record of inside) {
      descendants++;
      if (record.status === "RUNNING") running++;
      if (isCallback(record.role)) callbacks++;
      bytes += size(record);
    }
    if (inside.length < PAGE) return { descendants, running, callbacks, bytes };
    after = inside.at(-1)!.id;
  }
}

function size({ bound, message, result, error }: SignatureRecord): number {
  const texts = [bound, message, result, error === null ? null : JSON.stringify(error)];
  return texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0);
}
