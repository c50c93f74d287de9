import type { EventType, FlowEvent, Run } from "../../src/index.ts";

/** Waits until this has happened to the run, or to the signature with this id inside it. */
export async function happened(run: Run, type: EventType, id: string = run.id): Promise<FlowEvent> {
  for await (const event of run.events({ since: 0 })) {
    if (event.type === type && event.id === id) return event;
  }
  throw new Error(`${run.id} has settled, and "${type}" never happened to ${id}`);
}
