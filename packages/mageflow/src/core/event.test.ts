import { describe, expect, it } from "vitest";
import { entriesOf } from "./event.ts";
import { MILESTONE, type SignatureRecord } from "./record.ts";
import { chain, task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";
import { type Status, STATUSES } from "./status.ts";

const stage = new Stage();
stage.submit(chain([task("a")]), { start: false });
const root = stage.get("r");
const step = stage.get("r.0");

const types = (before: SignatureRecord | null, now: SignatureRecord) =>
  entriesOf(before, now).map((entry) => entry.type);
const moved = (from: Status, to: Status) => types({ ...step, status: from }, { ...step, status: to });

describe("entriesOf", () => {
  it("tells of a root's creation, and not of the birth of what waits for its turn", () => {
    expect(types(null, root)).toEqual(["created"]);
    expect(types(null, { ...root, status: "RUNNING" })).toEqual(["created", "started"]);
    expect(types(null, step)).toEqual([]);
    expect(types(null, { ...step, status: "READY" })).toEqual(["ready"]);
  });

  it("tells nothing when the status stays", () => {
    for (const status of STATUSES) expect(moved(status, status)).toEqual([]);
    expect(types(step, { ...step, heldBy: "r" })).toEqual([]);
  });

  it.each<[Status, Status, string[]]>([
    ["PENDING", "READY", ["ready"]],
    ["PENDING", "RUNNING", ["started"]],
    ["PENDING", "WAITING", ["waiting"]],
    ["READY", "RUNNING", ["started"]],
    ["READY", "PENDING", []],
    ["RUNNING", "READY", ["ready"]],
    ["RUNNING", "WAITING", ["retrying"]],
    ["WAITING", "READY", ["ready"]],
    ["RUNNING", "SUSPENDED", ["suspended"]],
    ["PENDING", "SUSPENDED", ["suspended"]],
    ["RUNNING", "INTERRUPTED", ["interrupted"]],
    ["RUNNING", "SUCCEEDED", ["succeeded"]],
    ["RUNNING", "FAILED", ["failed"]],
    ["PENDING", "SKIPPED", ["skipped"]],
    ["SUSPENDED", "SKIPPED", ["skipped"]],
    ["SUSPENDED", "CANCELLED", ["cancelled"]],
    ["SUSPENDED", "PENDING", ["resumed"]],
    ["SUSPENDED", "RUNNING", ["resumed"]],
    ["SUSPENDED", "READY", ["resumed", "ready"]],
  ])("%s → %s tells %j", (from, to, expected) => {
    expect(moved(from, to)).toEqual(expected);
  });

  it("tells that it was resumed, whatever else the same commit did", () => {
    expect(moved("SUSPENDED", "WAITING")).toEqual(["resumed", "waiting"]);
    expect(moved("SUSPENDED", "SUCCEEDED")).toEqual(["resumed", "succeeded"]);
    expect(moved("SUSPENDED", "FAILED")).toEqual(["resumed", "failed"]);
  });

  it("tells of a recovery before what it led to", () => {
    const running: SignatureRecord = { ...step, status: "RUNNING" };
    expect(types(running, { ...running, status: "READY", recoveries: 1 })).toEqual(["recovered", "ready"]);
    expect(types(running, { ...running, status: "FAILED", recoveries: 6 })).toEqual(["recovered", "failed"]);
  });

  it("tells once that the root is settled, and of nothing else", () => {
    const ended: SignatureRecord = { ...root, status: "SUCCEEDED", milestone: MILESTONE.ENDED };
    const settled: SignatureRecord = { ...ended, milestone: MILESTONE.SETTLED };
    expect(types({ ...root, status: "RUNNING" }, settled)).toEqual(["succeeded", "settled"]);
    expect(types(ended, settled)).toEqual(["settled"]);
    expect(types(settled, settled)).toEqual([]);
    expect(
      types({ ...step, status: "SUCCEEDED" }, { ...step, status: "SUCCEEDED", milestone: MILESTONE.SETTLED }),
    ).toEqual([]);
  });

  it("carries id, status, generation and attempt", () => {
    const now: SignatureRecord = { ...step, status: "RUNNING", attempt: 3 };
    expect(entriesOf(step, now)).toEqual([
      { id: "r.0", type: "started", status: "RUNNING", generation: 1, attempt: 3 },
    ]);
  });
});
