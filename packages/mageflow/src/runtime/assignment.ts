import { composeInput } from "../core/compose.ts";
import type { StoredError } from "../core/errors.ts";
import { childId, isCallback } from "../core/ids.ts";
import { type Json, stringify } from "../core/payload.ts";
import type { Kind, TaskSpec } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { ancestors } from "../core/view.ts";
import type { Batch } from "./batch.ts";
import type { CauseOutcome } from "./context.ts";
import { resultText } from "./results.ts";

/** A claimed task with everything that its handler needs, read in the transaction that claimed it. */
export interface Assignment {
  readonly record: SignatureRecord;
  readonly spec: TaskSpec;
  /** JSON text of what comes in, or null. */
  readonly incoming: string | null;
  /** JSON texts of bound inputs, lowest first. */
  readonly bound: readonly (string | null)[];
  readonly cause: CauseTexts | null;
  /** Own and inherited. */
  readonly tags: readonly string[];
  readonly metadata: { readonly [key: string]: Json };
}

/** What a callback follows, payloads as JSON texts. */
interface CauseTexts {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly generation: number;
  readonly outcome: CauseOutcome;
  readonly input: string;
  readonly result: string | null;
  readonly error: StoredError | null;
  readonly item: { readonly index: number; readonly key?: string } | null;
}

/** Puts the assignments of claimed tasks together. Inputs of containers are composed once for all their items. */
export async function assign(batch: Batch, claimed: readonly SignatureRecord[]): Promise<Assignment[]> {
  const assembly = new Assembly(batch);
  const assignments: Assignment[] = [];
  for (const record of claimed)
    assignments.push(assembly.ofItem(record) ?? (await assembly.assignment(record)));
  return assignments;
}

class Assembly {
  readonly #batch: Batch;
  readonly #inputs = new Map<string, string>();
  /** Of the items of a swarm, by its id. */
  readonly #items = new Map<string, Surroundings>();

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  async assignment(record: SignatureRecord): Promise<Assignment> {
    const surroundings: Surroundings = {
      bound: isCallback(record.role) ? [] : this.#enclosing(record),
      incoming: await this.#incoming(record),
      cause: isCallback(record.role) ? await this.#cause(record) : await this.#causeAbove(record),
      ...this.#inherited(record),
    };
    if (record.role === "item") this.#items.set(record.parentId!, surroundings);
    return this.#within(surroundings, record);
  }

  /** The same at once, for an item whose siblings have had theirs: what is around them is alike. Else null. */
  ofItem(record: SignatureRecord): Assignment | null {
    const surroundings = record.role === "item" ? this.#items.get(record.parentId!) : undefined;
    return surroundings === undefined ? null : this.#within(surroundings, record);
  }

  #within({ incoming, bound, cause, tags, metadata }: Surroundings, record: SignatureRecord): Assignment {
    const spec = this.#batch.spec(record) as TaskSpec;
    return {
      record,
      spec,
      incoming,
      bound: [...bound, record.bound, record.message],
      cause,
      tags:
        spec.tags.length + record.tags.length === 0
          ? tags
          : [...new Set([...tags, ...record.tags, ...spec.tags])],
      metadata: isEmpty(spec.metadata) ? metadata : { ...metadata, ...spec.metadata },
    };
  }

  /** The `with` of each enclosing container, from the outermost in. A callback is not enclosed by its owner's containers. */
  #enclosing(record: SignatureRecord): (string | null)[] {
    const bound: (string | null)[] = [];
    let at = record;
    while (!isCallback(at.role) && at.parentId !== null) {
      at = this.#batch.get(at.parentId)!;
      bound.push(at.bound);
    }
    return bound.filter((text) => text !== null).reverse();
  }

  #inherited(record: SignatureRecord): Pick<Surroundings, "tags" | "metadata"> {
    const tags = new Set<string>();
    let metadata: { readonly [key: string]: Json } = {};
    for (const ancestor of ancestors(this.#batch, record)) {
      const spec = this.#batch.spec(ancestor);
      for (const tag of [...spec.tags, ...ancestor.tags]) tags.add(tag);
      metadata = { ...spec.metadata, ...metadata };
    }
    return { tags: [...tags], metadata };
  }

  /** JSON text of what comes in from below all bound inputs, or null when nothing does. */
  async #incoming(record: SignatureRecord): Promise<string | null> {
    if (record.parentId === null) return null;
    const parent = this.#batch.get(record.parentId)!;
    switch (record.role) {
      case "step":
        if (record.slot > 0) {
          const [previous] = await this.#batch.read([childId(parent.id, record.slot - 1)]);
          return resultText(this.#batch, previous!);
        }
        return this.#containerInput(parent);
      case "item":
        return this.#containerInput(parent);
      case "success":
      case "itemSuccess":
        return resultText(this.#batch, parent);
      default:
        // A twin gets what it was registered with.
        return record.message === null ? this.#input(parent) : null;
    }
  }

  async #containerInput(container: SignatureRecord): Promise<string | null> {
    const input = await this.#input(container);
    return input === "{}" ? null : input;
  }

  /** JSON text of a signature's whole input. */
  async #input(record: SignatureRecord): Promise<string> {
    let input = this.#inputs.get(record.id);
    if (input === undefined) {
      const bound = [...this.#enclosing(record), record.bound, record.message];
      input = stringify(composeInput({ incoming: await this.#incoming(record), bound }));
      this.#inputs.set(record.id, input);
    }
    return input;
  }

  /** The cause of something that stands inside a callback. */
  async #causeAbove(record: SignatureRecord): Promise<CauseTexts | null> {
    for (const ancestor of ancestors(this.#batch, record)) {
      if (isCallback(ancestor.role)) return this.#cause(ancestor);
    }
    return null;
  }

  async #cause(callback: SignatureRecord): Promise<CauseTexts> {
    const owner = this.#batch.get(callback.parentId!)!;
    const ok = owner.status === "SUCCEEDED";
    return {
      id: owner.id,
      name: owner.name,
      kind: owner.kind,
      generation: owner.generation,
      outcome: outcomeOf(owner.status),
      input: await this.#input(owner),
      result: ok ? await resultText(this.#batch, owner) : null,
      error: ok ? null : owner.error,
      item:
        owner.role !== "item"
          ? null
          : { index: owner.slot, ...(owner.key === null ? {} : { key: owner.key }) },
    };
  }
}

/** What comes to a signature from outside of it. */
interface Surroundings {
  readonly bound: readonly (string | null)[];
  readonly incoming: string | null;
  readonly cause: CauseTexts | null;
  readonly tags: readonly string[];
  readonly metadata: { readonly [key: string]: Json };
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

function outcomeOf(status: SignatureRecord["status"]): CauseOutcome {
  if (status === "SUCCEEDED") return "success";
  if (status === "INTERRUPTED") return "interrupt";
  return status === "CANCELLED" ? "cancel" : "error";
}
