import { InvalidPlanError, MageFlowError } from "../../core/errors.ts";
import type { Handler } from "../handler.ts";

/** Every task that was registered in this isolate, by whatever MageFlow; null where the program itself runs. */
let registered: Handler[] | null = null;

/** From now on this thread or process is an isolate: tasks that are registered in it are kept, to be looked up by name. */
export function becomeIsolate(): void {
  registered ??= [];
}

/** Keeps a task that was registered. Does nothing where the program itself runs. */
export function keepRegistered(handler: Handler): void {
  registered?.push(handler);
}

/** @throws InvalidPlanError (`INVALID_PLAN`) when its module does not register the task, or does so twice. */
export function findRegistered(module: string, name: string): Handler {
  const found = (registered ?? []).filter(
    (handler) => handler.name === name && handler.isolation?.module === module,
  );
  const [handler] = found;
  if (handler !== undefined && found.length === 1) return handler;
  const what = handler === undefined ? "no task" : "more than one task";
  throw new InvalidPlanError(
    `importing ${module} registers ${what} "${name}" with module: import.meta.url; register it once, when the module is loaded`,
  );
}

/**
 * Tells a MageFlow that is about to be used.
 *
 * @throws MageFlowError (`ISOLATED`) in an isolate: what it would start there would start itself again, and a store in memory would
 *   be another one.
 */
export function refuseInIsolate(): void {
  if (registered === null) return;
  throw new MageFlowError(
    "ISOLATED",
    "a MageFlow only registers tasks where one of them runs by itself: use ctx.run in the task, and keep what starts the program behind `if (import.meta.main)`",
  );
}
