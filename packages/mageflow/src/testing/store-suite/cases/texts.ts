import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode } from "../../../core/payload.ts";
import { HARD_JSON } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleLog } from "../sample-log.ts";
import { sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

/** Stores the texts wherever a payload may stand, and tells where one came back changed. */
async function changedIn(scene: Scene, texts: readonly string[]): Promise<string[]> {
  const { store } = scene;
  const at = texts.map((text, n) => ({ text, id: `${scene.id}.${n}`, generation: 1 }));
  await scene.write({
    insert: at.map(({ id, text }) =>
      sampleTask(id, { rootId: scene.id, bound: text, message: text, result: text }),
    ),
    specs: at.map(({ id, text }) => ({ rootId: scene.id, id, body: text })),
    logs: at.map(({ id, text }) => sampleLog(id, "", { rootId: scene.id, fields: text })),
    steps: at.map(({ id, text }) => ({ id, generation: 1, name: "step", result: text })),
    checkpoints: at.map(({ id, text }) => ({ id, generation: 1, body: text })),
  });
  const logs = await store.logs({ rootId: scene.id, after: 0, limit: texts.length });
  const changed: string[] = [];
  for (const [n, { id, text }] of at.entries()) {
    const record = await scene.get(id);
    const [spec] = await store.specs([{ rootId: scene.id, id }]);
    const notes = await store.notes(id, 1);
    const back = {
      bound: record?.bound,
      message: record?.message,
      result: record?.result,
      spec: spec?.body,
      log: logs[n]?.fields,
      step: notes.steps.get("step"),
      checkpoint: notes.checkpoint,
    };
    // Compared here, as the difference of two texts of 1 MiB takes minutes to show.
    for (const [field, came] of Object.entries(back)) {
      if (came !== text) changed.push(`${field} of ${text.slice(0, 80)}`);
    }
  }
  return changed;
}

export function textsCases(harness: StoreHarness): void {
  describe("payload texts", () => {
    test.for(HARD_JSON)("%s comes back unchanged", ([, text], context) =>
      onStore(harness, async (scene) => {
        expect(await changedIn(scene, [text])).toEqual([]);
      })(context),
    );

    test(
      "many hard ones in one write come back unchanged",
      onStore(harness, async (scene) => {
        const texts = HARD_JSON.map(([, text]) => text).filter(({ length }) => length < 10_000);
        expect(await changedIn(scene, texts)).toEqual([]);
      }),
    );

    test(
      "updates carry them too",
      onStore(harness, async (scene) => {
        const task = sampleTask(scene.id);
        await scene.insert(task);
        const changed: string[] = [];
        for (const [what, text] of HARD_JSON) {
          await scene.update({ ...task, result: text });
          if ((await scene.get(task.id))?.result !== text) changed.push(what);
        }
        expect(changed).toEqual([]);
      }),
    );

    test(
      "any value comes back as it is",
      onStore(harness, async (scene) => {
        const values = fc.sample(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), {
          numRuns: 300,
          seed: 41,
        });
        const texts = values.map((value) => encode(value));
        expect(await changedIn(scene, texts)).toEqual([]);
      }),
    );

    test(
      "keys of prototypes pollute nothing",
      onStore(harness, async (scene) => {
        const texts = ['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}'];
        expect(await changedIn(scene, texts)).toEqual([]);
        expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      }),
    );
  });
}
