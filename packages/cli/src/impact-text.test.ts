import { expect, test } from "vitest";
import { impactText } from "./impact-text.ts";

test("an impact is told in counts, without what there is none of", () => {
  const nothing = {
    workflows: 1,
    descendants: 0,
    running: 0,
    callbacks: 0,
    logs: 0,
    moreLogs: false,
    bytes: 0,
  };
  expect(impactText(nothing)).toBe("1 signature, 0 log lines, 0 B");
  expect(impactText({ ...nothing, descendants: 6, running: 3, callbacks: 1, logs: 1, bytes: 1_234 })).toBe(
    "7 signatures (3 running, 1 callback), 1 log line, 1.2 kB",
  );
  expect(impactText({ ...nothing, logs: 10_000, moreLogs: true })).toBe(
    "1 signature, at least 10,000 log lines, 0 B",
  );
  expect(impactText({ ...nothing, workflows: 2, descendants: 1_998, bytes: 5_600_000_000_000 })).toBe(
    "2,000 signatures, 0 log lines, 5600.0 GB",
  );
});
