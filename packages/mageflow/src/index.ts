export { MageFlow } from "./mageflow.ts";
export type { MageFlowOptions } from "./mageflow.ts";
export type { TaskOptions } from "./task-definition.ts";
export type { AuditEntry, AuditTrail } from "./audit-trail.ts";
export type { CacheControl } from "./cache-control.ts";
export type { CacheStats, Divergence, Kept } from "./caches/cache-report.ts";
export type { CacheNumbers } from "./caches/cache-meter.ts";

// Plans
export { chain, ContainerPlan, Plan, swarm, TaskPlan } from "./core/plans.ts";
export type { PlanOptions } from "./core/plan-options.ts";
export type { ChainOptions, SwarmOptions } from "./core/plans.ts";
export type { AnyPlan, Flow, Incoming, InputOf, NeedsOf, OutputOf } from "./core/flow.ts";
export type { Duration } from "./core/duration.ts";
export type { Backoff, Retry } from "./core/retry.ts";
export type { Json } from "./core/payload.ts";

// Running and watching
export type { RunArguments, RunOptions } from "./runtime/launch.ts";
export type { ListFilter } from "./runtime/list-query.ts";
export type { Run, Page, Settled } from "./runtime/run.ts";
export type { OpenPart } from "./runtime/what-is-open.ts";
export type { Worker } from "./runtime/worker.ts";
export type { WorkerOptions } from "./runtime/worker-options.ts";
export type { IsolationKind } from "./runtime/isolate/isolation.ts";
export type { Cause, CauseOutcome, SignatureInfo, TaskContext, TaskLog } from "./runtime/context.ts";
export type {
  Counts,
  RunStatus,
  RunStatusLock,
  ShownStatus,
  SignatureView,
} from "./runtime/signature-view.ts";
export type {
  AutoResumeOptions,
  Compatible,
  ResumeValidator,
  TaskAutoResume,
} from "./runtime/auto-resume.ts";
export type { ResumeRules } from "./core/recovery.ts";
export type { Pace } from "./core/pace.ts";
export type { Version } from "./core/version.ts";
export type { Fate, ResumeEntry, ResumeReport } from "./core/resume-report.ts";
export type { CancelOptions, CancelPlan } from "./runtime/cancel.ts";
export type { Impact } from "./runtime/impact.ts";
export type { Edit, Edits } from "./runtime/edits.ts";
export type { RunLock } from "./runtime/lock.ts";
export type { Deletion } from "./core/record.ts";
export type { Retention } from "./core/retention.ts";
export type { ItemResult, SwarmResult } from "./core/result.ts";
export type { EventType, FlowEvent, Progress } from "./core/event.ts";
export { STATUSES, type Status } from "./core/status.ts";
export type { Role } from "./core/ids.ts";
export type { Kind } from "./core/plan.ts";
export type { Stub } from "./core/stub.ts";
export type { Metrics } from "./runtime/metrics.ts";
export type { LogLevel, LogQuery, LogRow, Tombstone, WorkerRow } from "./ports/store.ts";
export type { Audited, Breach, VerifyOptions } from "./runtime/verify.ts";

// Errors
export {
  AlreadyRunningError,
  CancelledError,
  ClosedError,
  GoneError,
  IllegalTransitionError,
  InterruptedError,
  InvalidPlanError,
  LeaseLostError,
  IdempotencyConflictError,
  LockedError,
  MageFlowError,
  NotFoundError,
  OutOfMemoryError,
  PayloadError,
  ShutdownError,
  StaleConfirmationError,
  StoreError,
  SupersededError,
  SwarmClosedError,
  TerminalError,
  TimeoutError,
  UnknownTaskError,
  ValidationError,
  WaitTimeoutError,
  WorkerExitedError,
  WorkflowFailedError,
} from "./core/errors.ts";
export type { Issue, PathEntry, StoredCause, StoredError, StoreFault } from "./core/errors.ts";
