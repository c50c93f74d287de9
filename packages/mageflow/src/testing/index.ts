/** What adapters are proven with: the conformance suites of stores and engines, and the deterministic simulator. Needs vitest and fast-check. */
export { type EngineHarness, type EnginePlace, engineSuite } from "./engine-suite/index.ts";
export * as simulator from "./simulator/index.ts";
export { type Capability, type StoreHarness, storeSuite } from "./store-suite/index.ts";
