import { describe } from "vitest";
import { consumeCases } from "./cases/consume.ts";
import { doubtsCases } from "./cases/doubts.ts";
import { lossCases } from "./cases/loss.ts";
import { orderCases } from "./cases/order.ts";
import { publishCases } from "./cases/publish.ts";
import { revokeCases } from "./cases/revoke.ts";
import { steeringCases } from "./cases/steering.ts";
import { workCases } from "./cases/work.ts";
import { workersCases } from "./cases/workers.ts";
import type { EngineHarness } from "./harness.ts";

/**
 * Runs the conformance suite of the engine port on one engine; to be called at the top of a vitest file. One half is about what it carries, and
 * is skipped by an engine that carries nothing; the other is about workflows that run on it. A bug found in one engine becomes a case here, for
 * all.
 *
 * @example
 * engineSuite({
 *   name: "bullmq",
 *   missing: null,
 *   place: async () => {
 *     const prefix = `test-${randomUUID()}`;
 *     return { engine: () => bullmq(url, { prefix }), lose: () => removeKeys(prefix), remove: () => removeKeys(prefix) };
 *   },
 * });
 */
export function engineSuite(harness: EngineHarness): void {
  const why = harness.missing === null ? "" : `: ${harness.missing}`;
  describe(`engine suite: ${harness.name}${why}`, () => {
    publishCases(harness);
    consumeCases(harness);
    orderCases(harness);
    revokeCases(harness);
    lossCases(harness);
    workCases(harness);
    workersCases(harness);
    steeringCases(harness);
    doubtsCases(harness);
  });
}
