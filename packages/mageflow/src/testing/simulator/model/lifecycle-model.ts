/**
 * The lifecycle of nested workflows as a sequential specification: one order at a time, everything that follows from it at
 * once, by rules that are applied until nothing changes any more. Written from the design and not from the deciders.
 * Every task that may run does run, and goes on until it is told how it ends.
 */
export type Shape = TaskShape | ContainerShape;

interface Attached {
  readonly success: boolean;
  readonly error: boolean;
  readonly cleanups: number;
}

interface TaskShape extends Attached {
  readonly kind: "task";
  readonly attempts: number;
}

interface ContainerShape extends Attached {
  readonly kind: "chain" | "swarm";
  readonly children: readonly Shape[];
  readonly concurrency: number;
  readonly limit: number | null;
  readonly open: boolean;
}

export type ModelStatus =
  | "PENDING"
  | "RUNNING"
  | "WAITING"
  | "SUSPENDED"
  | "SUCCEEDED"
  | "FAILED"
  | "SKIPPED";

/** A callback of the model: a plain task. */
const PLAIN: TaskShape = { kind: "task", attempts: 1, success: false, error: false, cleanups: 0 };

export class ModelNode {
  readonly id: string;
  readonly shape: Shape;
  readonly role: "root" | "step" | "item" | "callback";
  readonly parent: ModelNode | null;
  readonly children: ModelNode[] = [];
  readonly callbacks: ModelNode[] = [];
  /** In the order in which they run. */
  readonly cleanups: ModelNode[] = [];
  status: ModelStatus = "PENDING";
  /** What a suspension is lifted to. */
  prior: "PENDING" | "RUNNING" = "PENDING";
  /** It is its turn; only a suspension above can keep it. */
  turn = false;
  /** Waits for the time of its retry. */
  retrying = false;
  attempt = 0;
  open: boolean;
  stopping = false;

  constructor(id: string, shape: Shape, role: ModelNode["role"], parent: ModelNode | null) {
    this.id = id;
    this.shape = shape;
    this.role = role;
    this.parent = parent;
    this.open = shape.kind === "swarm" && shape.open;
    if (shape.kind !== "task") for (const child of shape.children) this.add(child);
  }

  add(shape: Shape): ModelNode {
    const role = this.shape.kind === "chain" ? "step" : "item";
    const child = new ModelNode(`${this.id}.${this.children.length}`, shape, role, this);
    this.children.push(child);
    return child;
  }

  get ended(): boolean {
    return this.status === "SUCCEEDED" || this.status === "FAILED" || this.status === "SKIPPED";
  }

  /** It, everything inside it, and their cleanups have ended. */
  get cleaned(): boolean {
    return (
      this.ended && this.cleanups.every(({ ended }) => ended) && this.children.every(({ cleaned }) => cleaned)
    );
  }

  get held(): boolean {
    for (let above = this.parent; above !== null; above = above.parent)
      if (above.status === "SUSPENDED") return true;
    return false;
  }

  /** It has begun, so that it is not skipped any more. */
  get begun(): boolean {
    return (
      this.attempt > 0 ||
      this.status === "RUNNING" ||
      (this.status === "SUSPENDED" && this.prior === "RUNNING")
    );
  }

  *all(): Generator<ModelNode> {
    yield this;
    for (const child of [...this.children, ...this.callbacks, ...this.cleanups]) yield* child.all();
  }
}

export class LifecycleModel {
  readonly roots: ModelNode[] = [];

  nodes(): ModelNode[] {
    return this.roots.flatMap((root) => [...root.all()]);
  }

  submit(id: string, shape: Shape): void {
    const root = new ModelNode(id, shape, "root", null);
    root.turn = true;
    this.roots.push(root);
    this.#follow();
  }

  /** A running task ends. */
  finish(node: ModelNode, ok: boolean): void {
    const { attempts } = node.shape as TaskShape;
    if (!ok && node.attempt < attempts) {
      node.attempt++;
      node.status = "WAITING";
      node.retrying = true;
    } else this.#end(node, ok ? "SUCCEEDED" : "FAILED");
    this.#follow();
  }

  /** Null, or the code of the error that it is refused with. */
  suspend(node: ModelNode): string | null {
    if (node.ended) return "ILLEGAL_TRANSITION";
    if (node.status === "SUSPENDED") return null;
    if (node.status === "RUNNING" && node.shape.kind === "task") return "ALREADY_RUNNING";
    node.prior = node.status === "RUNNING" ? "RUNNING" : "PENDING";
    node.status = "SUSPENDED";
    // An item that has not begun gives its slot to another.
    if (node.role === "item" && node.prior === "PENDING" && node.attempt === 0) node.turn = false;
    this.#follow();
    return null;
  }

  resume(node: ModelNode): string | null {
    if (node.ended) return "ILLEGAL_TRANSITION";
    if (node.status === "SUSPENDED") node.status = node.prior;
    this.#follow();
    return null;
  }

  addItem(node: ModelNode, shape: Shape): string | null {
    if (node.ended || !node.open || node.stopping) return "SWARM_CLOSED";
    node.add(shape);
    this.#follow();
    return null;
  }

  close(node: ModelNode): void {
    node.open = false;
    this.#follow();
  }

  /** Enough time for every retry. */
  pass(): void {
    for (const node of this.nodes()) {
      node.retrying = false;
      if (node.status === "WAITING") node.status = "PENDING";
    }
    this.#follow();
  }

  /** The workers die. What ran is run again, unless it is held by now; and time passes until that is noticed. */
  crash(): void {
    for (const node of this.nodes()) {
      if (node.shape.kind === "task" && node.status === "RUNNING" && node.held) node.status = "PENDING";
    }
    this.pass();
  }

  #end(node: ModelNode, status: "SUCCEEDED" | "FAILED"): void {
    node.status = status;
    const { success, error, cleanups } = node.shape;
    const born = (name: string): ModelNode => new ModelNode(`${node.id}.${name}`, PLAIN, "callback", node);
    const first = status === "SUCCEEDED" ? success && "success0" : error && "error0";
    if (first !== false) {
      const callback = born(first);
      callback.turn = true;
      node.callbacks.push(callback);
    }
    for (let slot = cleanups - 1; slot >= 0; slot--) node.cleanups.push(born(`cleanup${slot}`));
  }

  #follow(): void {
    let changed = true;
    const note = (did: boolean): void => {
      changed ||= did;
    };
    while (changed) {
      changed = false;
      for (const node of this.nodes()) {
        note(start(node));
        if (node.shape.kind === "chain") note(this.#chain(node));
        if (node.shape.kind === "swarm") note(this.#swarm(node));
        if (node.ended) note(clean(node));
      }
    }
  }

  #chain(node: ModelNode): boolean {
    const { children } = node;
    if (node.status === "FAILED" || node.status === "SKIPPED") return skipRest(children);
    if (node.status !== "RUNNING") return false;
    if (children.some(({ status }) => status === "FAILED")) {
      this.#end(node, "FAILED");
      return true;
    }
    const next = children.find(({ status }) => status !== "SUCCEEDED");
    if (next === undefined) {
      this.#end(node, "SUCCEEDED");
      return true;
    }
    return give(next);
  }

  #swarm(node: ModelNode): boolean {
    const { children } = node;
    const { limit, concurrency } = node.shape as ContainerShape;
    if (node.status === "SKIPPED") return skipRest(children);
    const failures = children.filter(({ status }) => status === "FAILED").length;
    if (limit !== null && failures > limit && !node.ended) node.stopping = true;
    if (node.stopping && !node.ended && skipRest(children)) return true;
    if (node.status !== "RUNNING") return false;
    if (children.every(({ ended }) => ended) && (!node.open || node.stopping)) {
      const failed = node.stopping || (failures > 0 && failures === children.length);
      this.#end(node, failed ? "FAILED" : "SUCCEEDED");
      return true;
    }
    if (node.stopping) return false;
    const active = children.filter((child) => child.turn && !child.ended).length;
    const next = children.find((child) => child.status === "PENDING" && !child.turn);
    return active < concurrency && next !== undefined && give(next);
  }
}

function give(node: ModelNode): boolean {
  if (node.turn || node.status !== "PENDING") return false;
  node.turn = true;
  return true;
}

function start(node: ModelNode): boolean {
  if (node.status !== "PENDING" || !node.turn || node.held) return false;
  if (node.retrying) node.status = "WAITING";
  else {
    node.status = "RUNNING";
    if (node.shape.kind === "task") node.attempt = Math.max(1, node.attempt);
  }
  return true;
}

function clean(node: ModelNode): boolean {
  if (!node.children.every(({ cleaned }) => cleaned)) return false;
  const next = node.cleanups.find(({ ended }) => !ended);
  return next !== undefined && give(next);
}

function skipRest(children: readonly ModelNode[]): boolean {
  let did = false;
  for (const child of children) {
    if (child.ended || child.begun) continue;
    child.status = "SKIPPED";
    did = true;
  }
  return did;
}
