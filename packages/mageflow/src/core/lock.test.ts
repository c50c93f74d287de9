import { describe, expect, it } from "vitest";
import { rearmed } from "./deletion.ts";
import { isGuarded, isGuardedFrom, locksOn, MOST_INSIDE, notedInside, relocked } from "./lock.ts";
import type { Held } from "./record.ts";
import { chain, swarm, task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

function staged(): Stage {
  const stage = new Stage();
  stage.submit(chain([swarm([task("ok")]), task("ok")]));
  return stage;
}

const held = (stage: Stage, token: string, ms: number): Held => ({
  token,
  by: "somebody",
  until: stage.now + ms,
});

describe("a lock on a tree", () => {
  it("guards what it is on, what is inside that, and what that stands in", () => {
    const stage = staged();
    const mine = held(stage, "mine", 10);
    stage.records.set("r.0", relocked(stage.get("r.0"), mine, stage.now));
    stage.records.set("r", notedInside(stage.get("r"), "r.0", mine, stage.now));
    const guarded = (token: string | null): string[] =>
      ["r", "r.0", "r.0.0", "r.1"].filter((id) => isGuardedFrom(stage.view, stage.get(id), token));
    expect(guarded(null)).toEqual(["r", "r.0", "r.0.0"]);
    expect(guarded("mine")).toEqual([]);
    // What would not reach what is inside is let through.
    expect([...locksOn(stage.view, stage.get("r"), "itself")]).toEqual([]);
    stage.pass(10);
    expect(guarded(null)).toEqual([]);
    expect(isGuarded(stage.get("r"), stage.now)).toBe(false);
  });

  it("is noted once, is forgotten when it has expired, and as often as there is room", () => {
    const stage = staged();
    let root = stage.get("r");
    for (let i = 0; i < MOST_INSIDE; i++)
      root = notedInside(root, `r.${i}`, held(stage, "t", 10 + i), stage.now);
    expect(() => notedInside(root, "r.one-more", held(stage, "t", 5), stage.now)).toThrow('"r.0" is locked');
    const again = notedInside(root, "r.0", held(stage, "t", 99), stage.now);
    expect(again.lock!.inside).toHaveLength(MOST_INSIDE);
    const later = notedInside(again, "r.one-more", held(stage, "t", 999), stage.now + 50);
    expect(later.lock!.inside).toHaveLength(MOST_INSIDE - 39);
    expect(notedInside(later, "r.0", null, stage.now + 500).lock!.inside).toEqual([
      { id: "r.one-more", ...held(stage, "t", 999) },
    ]);
  });

  it.each(["own", "inside"])("puts a removal off, and brings it back when it goes first (%s)", (first) => {
    const stage = staged();
    stage.settle();
    stage.send("r", { type: "delete", purgeAt: stage.now, by: "somebody", reason: null });
    const due = stage.now;
    const [short, long] = [held(stage, "t", 10), held(stage, "t", 20)];
    let root = notedInside(relocked(stage.get("r"), short, due), "r.0", long, due);
    root = rearmed(root, due);
    expect(root.deletion!.purgeAt).toBe(long.until);
    root = first === "own" ? relocked(root, null, due) : notedInside(root, "r.0", null, due);
    expect(root.deletion!.purgeAt).toBe(first === "own" ? long.until : short.until);
    root = first === "own" ? notedInside(root, "r.0", null, due) : relocked(root, null, due);
    expect(root).toMatchObject({ lock: null, deletion: { purgeAt: due } });
  });
});
