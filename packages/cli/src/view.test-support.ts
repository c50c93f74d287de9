import type { Deletion, RunStatus, SignatureView } from "mageflow";

/** A running swarm, for tests that show it. */
export const view: SignatureView = {
  id: "r",
  rootId: "r",
  parentId: null,
  role: "root",
  slot: 0,
  key: null,
  kind: "swarm",
  name: "resize",
  status: "RUNNING",
  execution: "RUNNING",
  generation: 1,
  attempt: 0,
  recoveries: 0,
  priority: 0,
  tags: ["a", "b"],
  workerId: null,
  error: null,
  createdAt: 0,
  startedAt: 1_000,
  finishedAt: null,
  dueAt: null,
  deletion: null,
  lock: null,
  interrupted: null,
};

/** A mark of deletion, for one hour after the first second. */
export const deletion: Deletion = {
  markedAt: 1_000,
  purgeAt: 3_601_000,
  action: "delete",
  by: "ada",
  reason: "old",
  generation: 1,
  stub: false,
  purged: false,
};

export const noCounts: RunStatus["counts"] = {
  total: 0,
  succeeded: 0,
  failed: 0,
  pending: 0,
  ready: 0,
  running: 0,
  waiting: 0,
  suspended: 0,
  interrupted: 0,
  skipped: 0,
  cleanupFailed: 0,
};

export const status: RunStatus = {
  status: "RUNNING",
  execution: "RUNNING",
  deletion: null,
  counts: { ...noCounts, total: 1_000_000, succeeded: 1_000, failed: 2, pending: 998_998 },
  progress: { fraction: 0.001, note: null },
  heldBy: null,
  locks: [],
  open: [],
};
