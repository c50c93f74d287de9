/** What adapters are proven with: the conformance suite of stores, and the deterministic simulator. Needs vitest and fast-check. */
export * as simulator from "./simulator/index.ts";
export { type Capability, type StoreHarness, storeSuite } from "./store-suite/index.ts";
