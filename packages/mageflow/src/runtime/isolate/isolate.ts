import type { MageFlowError } from "../../core/errors.ts";
import type { Order, Report } from "./messages.ts";
import { unwrapped, type Wrapped } from "./wrapped.ts";

/** A thread or process that runs tasks, one at a time, seen from the worker. */
export interface Isolate {
  /** Who hears what it says, and null when it has ended; whoever uses it sets this. */
  hear: (report: Report | null) => void;
  /** What is said to an isolate that has ended is lost. */
  post(order: Order): void;
  /** Ends it, whatever it does. A thread ends where V8 looks for an order to stop; a process ends in any case. */
  kill(): void;
  readonly over: boolean;
  /** Resolves when nothing of it goes on, with why. */
  readonly ended: Promise<MageFlowError>;
}

/** The little that differs between a thread and a process, as {@link isolate} needs it. */
interface Body {
  readonly post: (order: Wrapped<Order>) => void;
  readonly kill: () => void;
  readonly ended: Promise<MageFlowError>;
}

export function isolate(make: (hear: (heard: unknown) => void) => Body): Isolate {
  let over = false;
  const { post, kill, ended } = make((heard) => {
    const report = unwrapped<Report>(heard);
    if (report !== null) made.hear(report);
  });
  const made: Isolate = {
    hear: () => {},
    post: (order) => {
      if (!over) post({ mageflow: order });
    },
    kill,
    ended,
    get over() {
      return over;
    },
  };
  void ended.then(() => {
    over = true;
    made.hear(null);
  });
  return made;
}
