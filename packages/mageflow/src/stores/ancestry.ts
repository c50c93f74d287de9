import { above } from "../core/ids.ts";

/** An id and those that it stands below, its root's last. */
export function ancestry(id: string): string[] {
  return [id, ...above(id)];
}
