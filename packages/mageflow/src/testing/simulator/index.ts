/** The deterministic simulator: many processes, one store, virtual time, and faults, all drawn from a seed. */
export { crashAt } from "./crash-points.ts";
export { type FaultMix, faultMix, NO_FAULTS } from "./faults.ts";
export { type Loss, LOSSES, lose } from "./losses.ts";
export type { Violation } from "./invariants/invariant.ts";
export { type Outcome, simulate, type SimulateOptions } from "./simulate.ts";
export { type Workflow, WORKFLOWS } from "./workflows.ts";
export { LifecycleModel, type ModelNode, type Shape } from "./model/lifecycle-model.ts";
export { ModelStage } from "./model/stage.ts";
