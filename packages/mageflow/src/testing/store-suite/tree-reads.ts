import type { SignatureRecord } from "../../core/record.ts";
import { STATUSES } from "../../core/status.ts";
import type { Changes, ListQuery, Transaction } from "../../ports/store.ts";
import { sampleEntry } from "./sample-entry.ts";
import { sampleLog } from "./sample-log.ts";
import { FAR_AHEAD, LONG_AGO, sampleCallback, sampleChild, sampleSwarm } from "./sample-record.ts";
import { sampleStop } from "./sample-stop.ts";
import type { Scene } from "./scene.ts";

/** How much a read shows of the case's {@link treeOf}. */
export type Read = readonly [method: string, shown: (scene: Scene) => Promise<number>];

/** Every read that shows whole trees only. */
export const HIDING: readonly Read[] = [
  ["get", async ({ id, store }) => (await store.get([id, `${id}.0`])).length],
  ["byKey", async ({ id, store }) => ((await store.byKey(id)) === null ? 0 : 1)],
  ["byKey inside", (scene) => inside(scene, async (tx) => ((await tx.byKey(scene.id)) === null ? 0 : 1))],
  ["specs", async ({ id, store }) => (await store.specs([{ rootId: id, id: "0" }])).length],
  ["children", async ({ id, store }) => (await store.children({ ...pageOf(id), of: "children" })).length],
  [
    "children by status",
    async ({ id, store }) =>
      (await store.children({ ...pageOf(id), of: "children", statuses: STATUSES })).length,
  ],
  ["callbacks", async ({ id, store }) => (await store.children({ ...pageOf(id), of: "callbacks" })).length],
  ["tally", async ({ id, store }) => sum(await store.tally(id, STATUSES))],
  ["tally inside", (scene) => inside(scene, async (tx) => sum(await tx.tally(scene.id, STATUSES)))],
  ["list of roots", (scene) => listed(scene, { roots: true })],
  ["list of everything", (scene) => listed(scene, { roots: false })],
  ["list of the workflow", (scene) => listed(scene, { roots: false, rootId: scene.id })],
  ["list by tag", (scene) => listed(scene, { roots: false, tag: scene.id })],
  ["list of roots by tag", (scene) => listed(scene, { roots: true, tag: scene.id })],
  ["list by status", (scene) => listed(scene, { roots: false, statuses: ["WAITING"] })],
  ["list of what is marked", (scene) => listed(scene, { roots: true, marked: true })],
  ["scan", async (scene) => (await scene.scan(null, 9)).length],
  ["journal", async ({ id, store }) => (await store.journal({ rootId: id, after: 0, limit: 9 })).length],
  ["lastSeq", ({ id, store }) => store.lastSeq(id)],
  ["logs of the workflow", async ({ id, store }) => (await store.logs({ ...LOGS, rootId: id })).length],
  ["logs of a signature", async ({ id, store }) => (await store.logs({ ...LOGS, id: `${id}.0` })).length],
  ["logCount", ({ id, store }) => store.logCount(id, 9)],
  ["steps", async ({ id, store }) => (await store.notes(`${id}.0`, 1)).steps.size],
  ["checkpoint", async ({ id, store }) => ((await store.notes(`${id}.0`, 1)).checkpoint === null ? 0 : 1)],
  ["progress", async ({ id, store }) => ((await store.notes(`${id}.0`, 1)).progress === null ? 0 : 1)],
  ["readyNames", async ({ id, store }) => (await store.readyNames()).get(`name of ${id}`) ?? 0],
  ["nextDue", async ({ store }) => ((await store.nextDue()) === LONG_AGO + 1 ? 1 : 0)],
  ["stops", async (scene) => scene.own(await scene.store.stops(1_000)).length],
  ["strays", async (scene) => scene.own(await scene.store.strays(1_000)).length],
  ["stalled", async (scene) => scene.own(await scene.store.stalled(1_000)).length],
  ["holders", async (scene) => scene.own(await scene.store.holders(beyond(scene.id))).length],
  ["unsettled", async (scene) => scene.own(await scene.store.unsettled(beyond(scene.id))).length],
  ["awaited", async ({ id, store }) => (await store.awaited([id])).size],
  ["awaited inside", (scene) => inside(scene, async (tx) => (await tx.awaited([scene.id])).size)],
  [
    "ready",
    (scene) =>
      inside(scene, async (tx) => {
        const tasks = new Map([[`name of ${scene.id}`, 9]]);
        return (await tx.ready({ workerId: scene.id, slots: 9, tasks })).length;
      }),
  ],
  ["due", (scene) => inside(scene, async (tx) => scene.own(await tx.due(1_000)).length)],
  ["heldByWorker", (scene) => inside(scene, async (tx) => (await tx.heldByWorker(scene.id, 9)).length)],
  ["owed", (scene) => inside(scene, async (tx) => scene.own(await tx.owed(1_000)).length)],
  ["sweeping", (scene) => inside(scene, async (tx) => scene.own(await tx.sweeping(1_000)).length)],
  ["purgeable", (scene) => inside(scene, async (tx) => scene.own(await tx.purgeable(1_000)).length)],
  ["underWayIn", (scene) => inside(scene, async (tx) => (await tx.underWayIn(scene.id, 9)).length)],
];

/** Every read by id or by parent inside a transaction: whoever finishes a draft starts what is in it. */
export const SHOWING: readonly Read[] = [
  ["read", (scene) => inside(scene, async (tx) => (await tx.read([`${scene.id}.0`])).length)],
  [
    "lock",
    (scene) =>
      inside(scene, async (tx) => (await tx.lock([`${scene.id}.0`], { wait: false })).records.length),
  ],
  [
    "specs inside",
    (scene) => inside(scene, async (tx) => (await tx.specs([{ rootId: scene.id, id: "0" }])).length),
  ],
  ["itemsByKey", (scene) => inside(scene, async (tx) => (await tx.itemsByKey(scene.id, ["item"])).length)],
  ...(["start", "skip", "unhold", "clean", "interrupt", "cancel", "hasten", "reset"] as const).map(
    (what): Read => [
      `window to ${what}`,
      (scene) =>
        inside(scene, async (tx) => (await tx.window({ id: scene.id, what, until: 0, limit: 1 })).length),
    ],
  ),
  ["owing", (scene) => inside(scene, async (tx) => (await tx.owing(scene.id, 1)).length)],
];

const LOGS = { after: 0, limit: 9 };

function inside(scene: Scene, shown: (tx: Transaction) => Promise<number>): Promise<number> {
  return scene.ask(shown);
}

function pageOf(parentId: string): { parentId: string; after: null; limit: number } {
  return { parentId, after: null, limit: 9 };
}

/** The exclamation mark comes before every character of an id. */
function beyond(id: string): { after: string; limit: number } {
  return { after: `${id.slice(0, -1)}!`, limit: 1_000 };
}

function sum(counts: ReadonlyMap<unknown, number>): number {
  return counts.values().reduce((all, count) => all + count, 0);
}

async function listed(scene: Scene, query: Omit<ListQuery, "after" | "limit">): Promise<number> {
  return scene.own(await scene.store.list({ ...query, after: null, limit: 100 })).length;
}

/** A tree of which each of these reads shows something, and what belongs to it. */
export function treeOf(id: string): { root: SignatureRecord; rest: SignatureRecord[]; belongings: Changes } {
  const newest = { createdAt: FAR_AHEAD };
  const root = sampleSwarm(id, {
    ...newest,
    key: id,
    tags: [id],
    sweep: "start",
    deletion: {
      markedAt: 1,
      purgeAt: LONG_AGO,
      action: "delete",
      by: "somebody",
      reason: null,
      generation: 1,
      stub: false,
      purged: false,
    },
  });
  const at = { id: `${id}.0`, generation: 1 };
  return {
    root,
    rest: [
      sampleChild(root, 0, { ...newest, key: "item" }),
      sampleChild(root, 1, { ...newest, heldBy: id }),
      sampleChild(root, 2, { ...newest, status: "READY", readyAt: 1, name: `name of ${id}` }),
      sampleChild(root, 3, { ...newest, status: "WAITING", dueAt: LONG_AGO + 1 }),
      sampleChild(root, 4, { ...newest, status: "RUNNING", workerId: id, stop: sampleStop() }),
      sampleChild(root, 5, { ...newest, status: "SUCCEEDED", milestone: 1, credited: 0 }),
      sampleChild(root, 6, { ...newest, status: "WAITING" }),
      sampleCallback(root, "cleanup", 0, { ...newest, heldBy: id }),
    ],
    belongings: {
      specs: [{ rootId: id, id: "0", body: "{}" }],
      journal: new Map([[id, [sampleEntry(id), sampleEntry(at.id)]]]),
      logs: [sampleLog(at.id, "line", { rootId: id }), sampleLog(id, "line")],
      steps: [{ ...at, name: "a", result: "1" }],
      checkpoints: [{ ...at, body: "1" }],
      progress: [{ ...at, progress: { fraction: 1, note: null } }],
    },
  };
}
