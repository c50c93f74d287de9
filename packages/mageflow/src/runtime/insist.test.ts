import { expect, test } from "vitest";
import { StoreError, type StoreFault } from "../core/errors.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { insist, isBusy } from "./insist.ts";

const clock = { ...systemClock, sleep: async () => {} };

/** Fails so often with a code, then tells how often it was tried. */
function failing(times: number, code: StoreFault): () => Promise<number> {
  let tries = 0;
  return async () => {
    if (tries++ < times) throw new StoreError(code, "no");
    return tries;
  };
}

test("what the store refuses is repeated", async () => {
  expect(await insist(clock, () => false, failing(20, "STORE_UNAVAILABLE"))).toBe(21);
});

test("who leaves tries some times", async () => {
  expect(await insist(clock, () => true, failing(3, "STORE_BUSY"))).toBe(4);
  await expect(insist(clock, () => true, failing(4, "STORE_BUSY"))).rejects.toMatchObject({
    code: "STORE_BUSY",
  });
});

test("what must not be done twice is repeated while the store is busy only", async () => {
  expect(await insist(clock, () => false, failing(2, "STORE_BUSY"), isBusy)).toBe(3);
  await expect(insist(clock, () => false, failing(1, "STORE_UNAVAILABLE"), isBusy)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
});
