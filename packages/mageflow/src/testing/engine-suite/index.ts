export { engineSuite } from "./engine-suite.ts";
export type { EngineHarness, EnginePlace } from "./harness.ts";
