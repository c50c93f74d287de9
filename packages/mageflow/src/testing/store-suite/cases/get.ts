import { describe, expect, test } from "vitest";
import { ROLES } from "../../../core/ids.ts";
import { MILESTONE, NO_FAMILY, type SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, fullRecord, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

type Variant = readonly [what: string, other: Partial<SignatureRecord>];

const VARIANTS: readonly Variant[] = [
  ...STATUSES.map((status): Variant => [`the status ${status}`, { status }]),
  ...ROLES.map((role): Variant => [`the role ${role}`, { role }]),
  ...(["task", "chain", "swarm"] as const).map((kind): Variant => [`the kind ${kind}`, { kind }]),
  ...(["start", "skip", "unhold", null] as const).map((sweep): Variant => [`the sweep ${sweep}`, { sweep }]),
  ...(["PENDING", "RUNNING", null] as const).map((prior): Variant => [`the prior ${prior}`, { prior }]),
  ...Object.values(MILESTONE).map((milestone): Variant => [`the milestone ${milestone}`, { milestone }]),
  ["no family", { family: null }],
  ["a family of zeros", { family: NO_FAMILY }],
  ["a large family", { family: { ...NO_FAMILY, total: 10_000_000, unsettled: 10_000_001 } }],
  ["the year 9999", { createdAt: FAR_AHEAD, readyAt: FAR_AHEAD, dueAt: FAR_AHEAD, deadlineAt: FAR_AHEAD }],
  ["the first instants", { createdAt: 0, readyAt: 0, dueAt: 1, deadlineAt: 2, startedAt: 3, finishedAt: 4 }],
  [
    "odd milliseconds",
    { createdAt: 1_700_000_000_001, readyAt: 1_700_000_000_999, dueAt: 4_102_444_800_123 },
  ],
  ["a negative priority", { priority: -5 }],
  ["no tags", { tags: [] }],
  ["tags in their order", { tags: ["b", "a", "B", "c,d", '"', ""] }],
  ["a short error", { error: { name: "Error", message: "", attempts: 0, path: [] } }],
  [
    "an error of raw texts",
    { error: { name: "a\0b", message: "\ud800 \0 \udc00", stack: "\u{1f600}\r\n", attempts: 1, path: [] } },
  ],
];

export function getCases(harness: StoreHarness): void {
  describe("get", () => {
    test(
      "nothing for no ids",
      onStore(harness, async ({ store }) => {
        expect(await store.get([])).toEqual([]);
        expect(await store.transact((tx) => tx.read([]))).toEqual([]);
        expect(await store.transact((tx) => tx.lock([], { wait: true }))).toEqual({ records: [], busy: [] });
      }),
    );

    test(
      "leaves out what does not exist",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const ids = [`${scene.id}none`, scene.id];
        expect(await scene.store.get(ids)).toEqual([sampleTask(scene.id)]);
        expect(await scene.ask((tx) => tx.read(ids))).toEqual([sampleTask(scene.id)]);
      }),
    );

    test(
      "gives a record once that is asked for twice",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await scene.store.get([scene.id, scene.id])).toHaveLength(1);
        expect(await scene.ask((tx) => tx.read([scene.id, scene.id]))).toHaveLength(1);
      }),
    );

    test(
      "every field comes back",
      onStore(harness, async (scene) => {
        const record = fullRecord(scene.id);
        await scene.insert(record);
        expect(await scene.get(scene.id)).toEqual(record);
        expect(await scene.ask((tx) => tx.read([scene.id]))).toEqual([record]);
      }),
    );

    test(
      "every empty field comes back",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await scene.get(scene.id)).toEqual(sampleTask(scene.id));
      }),
    );

    test.for(VARIANTS)("%s comes back", ([, other], context) =>
      onStore(harness, async (scene) => {
        const record = fullRecord(scene.id, other);
        await scene.insert(record);
        expect(await scene.get(scene.id)).toEqual(record);
      })(context),
    );

    test(
      "ids that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        const records = HARD_NAMES.map((text, epoch) => sampleTask(`${scene.id}.${text}`, { epoch }));
        await scene.insert(...records);
        for (const record of records) expect(await scene.get(record.id)).toEqual(record);
        expect(await scene.store.get(records.map(({ id }) => id))).toHaveLength(records.length);
      }),
    );

    test(
      "finds nothing under ids that only look alike",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(`${scene.id}.abc`));
        const alike = ["ABC", "abc ", " abc", "\u00e1bc", "ab_", "ab%", "abc\u200b", "abc\0", "abc\ud800"];
        expect(await scene.store.get(alike.map((text) => `${scene.id}.${text}`))).toEqual([]);
      }),
    );

    test(
      "gives 2,000 records at once",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 2_000);
        await scene.insert(swarm, ...items);
        const ids = items.map(({ id }) => id);
        expect(await scene.store.get(ids)).toHaveLength(2_000);
        expect(await scene.ask((tx) => tx.read(ids))).toHaveLength(2_000);
      }),
    );
  });
}
