import { once } from "node:events";
import type { AnyPlan, MageFlow } from "mageflow";
import type { ChaosTasks, Work } from "../chaos/tasks.ts";
import { submission } from "../chaos/workload.ts";

/** Workflows that are under way at once. */
const AT_ONCE = 8;

/**
 * Submits one workflow after the other until it is told to stop, and returns their ids by index. All code of every other workflow stops when
 * its worker does; the rest goes on.
 */
export async function submitting(
  mage: MageFlow,
  seed: number,
  tasks: ChaosTasks,
  until: AbortSignal,
): Promise<Map<number, string>> {
  const told = new Map<number, string>();
  const stopped = once(until, "abort");
  let submitted = 0;
  const lane = async (): Promise<void> => {
    while (!until.aborted) {
      const index = submitted++;
      const { plan, key, start } = submission(seed, index, tasks);
      const options = { tags: [`n${index}`], ...(key === null ? {} : { key }) };
      const dressed = (plan as Bindable).with({ heeds: index % 2 === 0 });
      const run = start ? await mage.run(dressed, undefined, options) : await mage.create(dressed, options);
      told.set(index, run.id);
      if (start) await Promise.race([run.settled(), stopped]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return told;
}

type Bindable = AnyPlan & { with(input: Work): AnyPlan };
