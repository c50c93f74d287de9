import { expect, test } from "vitest";
import { statusNote } from "./status-note.ts";
import { deletion, view } from "./view.test-support.ts";

test("a status that says it all has no note", () => {
  expect(statusNote(view, 0)).toBe("");
  expect(
    statusNote({ ...view, execution: "INTERRUPTED", interrupted: { reason: null, clean: true } }, 0),
  ).toBe("");
});

test("what is marked tells how far it is, and when it goes", () => {
  expect(statusNote({ ...view, deletion }, 1_000)).toBe("RUNNING, removed in 1h");
  expect(statusNote({ ...view, deletion }, deletion.purgeAt)).toBe("RUNNING, to be removed now");
});

test("what was interrupted tells why, and what was given up", () => {
  const interrupted = { reason: "by\nhand", clean: false };
  expect(statusNote({ ...view, interrupted }, 0)).toBe("by\\nhand, abandoned");
  expect(statusNote({ ...view, execution: "INTERRUPTED", interrupted, deletion }, 1_000)).toBe(
    "INTERRUPTED, removed in 1h, by\\nhand, abandoned",
  );
});
