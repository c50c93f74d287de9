import type { Delivery } from "../../ports/engine.ts";

/** What a job carries beside its id: all else of a task stays in the store. */
export interface JobData {
  readonly id: string;
  readonly generation: number;
  readonly epoch: number;
}

/** BullMQ takes priorities from 1, which comes first, to this. */
const LAST = 2 ** 21 - 1;
/** Where our 0 stands, so that as many are more urgent as less. */
const MIDDLE = 2 ** 20;

/** Bigger is more urgent here and less urgent there. What is beyond what BullMQ knows is as urgent as the last that it does. */
export function jobPriority(priority: number): number {
  return Math.min(LAST, Math.max(1, MIDDLE - priority));
}

/** Of one readiness of one task; two that are published for it are one job. BullMQ forbids colons, and ids of digits only. */
export function jobId({ id, generation, epoch }: Delivery): string {
  return `${safe(id)}-g${generation}-e${epoch}`;
}

/** The queue of a task. BullMQ forbids colons. */
export function queueName(queue: string, task: string): string {
  return `${queue}.${safe(task)}`;
}

function safe(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

/** What a job delivers, or null when somebody else has put it there. */
export function deliveryOf(name: string, data: unknown): Delivery | null {
  if (typeof data !== "object" || data === null) return null;
  const { id, generation, epoch } = data as Partial<JobData>;
  if (typeof id !== "string" || typeof generation !== "number" || typeof epoch !== "number") return null;
  return { id, generation, epoch, name, priority: 0, delay: 0 };
}
