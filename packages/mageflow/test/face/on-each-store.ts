import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe } from "vitest";
import { MageFlow } from "../../src/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { memoryStore } from "../../src/stores/memory/memory-store.ts";

/** A place to keep a workflow for the length of one test. */
interface Place {
  readonly store: string | Store;
  remove(): void;
}

const PLACES: Readonly<Record<string, () => Place>> = {
  memory: () => {
    const store = memoryStore();
    return { store: leftOpen(store), remove: () => void store.close() };
  },
  sqlite: () => {
    const folder = mkdtempSync(join(tmpdir(), "mageflow-face-"));
    return {
      store: `sqlite:${join(folder, "face.db")}`,
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

/** The store, for several MageFlows: one that is closed does not close it for the others. */
function leftOpen(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/**
 * Runs the same cases on every store. `open` gives a new MageFlow; all that one test opens share a store, and are
 * closed after it.
 */
export function onEachStore(what: string, cases: (open: () => MageFlow) => void): void {
  for (const [name, make] of Object.entries(PLACES)) {
    describe(`${what} (${name})`, () => {
      let place: Place;
      let opened: MageFlow[];
      beforeEach(() => {
        place = make();
        opened = [];
      });
      afterEach(async () => {
        await Promise.all(opened.map((mage) => mage.close()));
        place.remove();
      });
      cases(() => {
        const mage = new MageFlow({ store: place.store });
        opened.push(mage);
        return mage;
      });
    });
  }
}
