import type { SignatureRecord } from "../../core/record.ts";
import { isOver } from "./shadow.ts";
import type { World } from "./world.ts";

/** Says what never came to its end, and what it waits for. */
export function describeStuck(world: World): string {
  const { shadow } = world;
  const open = [...shadow.records.values()].filter((record) => !isOver(record));
  const lines = open.slice(0, 12).map((record) => `${line(record)}: ${reason(world, record)}`);
  return [`${open.length} signatures never came to their end:`, ...lines].join("\n  ");
}

function line({
  id,
  kind,
  status,
  epoch,
  attempt,
  workerId,
  heldBy,
  readyAt,
  dueAt,
  sweep,
  milestone,
  credited,
  family,
  generation,
  stop,
  deletion,
}: SignatureRecord): string {
  const counts = family === null ? "" : ` ${JSON.stringify(family)}`;
  return `${kind} ${id} ${status} e${epoch} a${attempt} worker ${workerId} held ${heldBy} ready ${readyAt} due ${dueAt} sweep ${sweep} m${milestone}/c${credited} g${generation}${stop === null ? "" : ` stop ${JSON.stringify(stop)}`}${deletion === null ? "" : ` mark ${JSON.stringify(deletion)}`}${counts}`;
}

function reason(world: World, record: SignatureRecord): string {
  const { shadow } = world;
  switch (record.status) {
    case "READY":
      return "no worker takes it";
    case "RUNNING": {
      if (record.kind !== "task") break;
      const worker = shadow.workers.get(record.workerId ?? "");
      if (worker === undefined) return "its worker is not known";
      return worker.endedAt === null
        ? `its worker's lease runs to ${worker.leaseUntil}, it is ${world.storeTime}`
        : "its worker's session has ended and nobody recovers it";
    }
    case "WAITING":
      return `its time is ${record.dueAt}, it is ${world.storeTime}`;
    case "PENDING":
      if (record.heldBy !== null)
        return `held by ${record.heldBy}, which is ${shadow.records.get(record.heldBy)?.status}`;
      return `its turn does not come; ${record.parentId} is ${shadow.parent(record)?.status}`;
    case "SUSPENDED":
      return "suspended";
    case "INTERRUPTED":
      return record.stop?.done === true ? "interrupted" : "it has not stopped";
    default:
  }
  const children = [...shadow.children(record.id), ...shadow.callbacks(record.id)];
  const owing = children.filter((child) => child.credited < child.milestone).map(({ id }) => id);
  if (owing.length > 0) return `it was not credited with ${owing.join(", ")}`;
  const unsettled = children.filter((child) => child.milestone < 3).map(({ id }) => id);
  return unsettled.length > 0 ? `it waits for ${unsettled.slice(0, 5).join(", ")}` : "it waits for nothing";
}
