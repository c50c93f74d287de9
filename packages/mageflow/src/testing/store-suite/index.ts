export type { Capability, StoreHarness } from "./harness.ts";
export { storeSuite } from "./store-suite.ts";
