import type { Sweep } from "../../core/record.ts";
import type { Scene } from "./scene.ts";

/** Ids of the window of a sweep, without that of the scene which they all begin with. `id` is who sweeps. */
export async function windowIds(
  scene: Scene,
  what: Sweep,
  limit = 1_000,
  id: string = scene.id,
): Promise<string[]> {
  const records = await scene.ask((tx) => tx.window({ id, what, limit }));
  return records.map((record) => record.id.slice(scene.id.length));
}
