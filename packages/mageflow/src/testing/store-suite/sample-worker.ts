import type { WorkerRow } from "../../ports/store.ts";
import { FAR_AHEAD, LONG_AGO } from "./sample-record.ts";

/** A worker whose lease goes on for long. */
export function sampleWorker(id: string, other: Partial<WorkerRow> = {}): WorkerRow {
  return {
    id,
    host: "host.example",
    pid: 4_194_304,
    tasks: ["resize", "upload"],
    concurrency: 100,
    autoResume: {
      enabled: false,
      only: ["résumé \u0000"],
      except: [],
      stagger: { perSecond: 0.5, jitter: "full" },
    },
    startedAt: LONG_AGO,
    leaseUntil: FAR_AHEAD,
    endedAt: null,
    ...other,
  };
}
