import { createHash } from "node:crypto";
import { decode, encode, type Json, stringify } from "../core/payload.ts";
import type { PlanNode } from "../core/plan.ts";
import type { Notes } from "../ports/store.ts";
import type { ContextHost } from "./context.ts";

/** Before the name of a resource, among the names of steps: control characters, which no name has. */
const HELD = "\u0001";
const TWIN = "\u0002";
/** Between a name and what tells apart those that have it. */
const NTH = "\u001f";
/** What stands for a resource that was released; of one that is held it is an array of its descriptor, which may be anything. */
const RELEASED = "[]";

/** Releases what is described, at some later time or at once. */
type Release = (descriptor: never) => unknown;

/** What an earlier attempt held under one name and did not get to release, in no particular order. */
interface Left {
  readonly held: { readonly key: string; readonly descriptor: Json }[];
  /** Its release, while somebody is at it. */
  under: Promise<void> | null;
}

/**
 * The resources of one attempt. Of what functions release, the store keeps descriptors for the next attempt, one for each use of a name, so
 * that using it again loses nothing. What plans release is stored as twins of the task, each once: a mark among its steps tells which
 * there are in this generation.
 */
export class Resources {
  readonly #host: Pick<ContextHost, "saveStep" | "saveTwin">;
  readonly #notes: Notes | null;
  readonly #generation: number;
  readonly #uses = new Map<string, number>();
  readonly #twins = new Map<string, Promise<void>>();
  #left: Map<string, Left> | null = null;

  constructor(host: Pick<ContextHost, "saveStep" | "saveTwin">, notes: Notes | null, generation: number) {
    this.#host = host;
    this.#notes = notes;
    this.#generation = generation;
  }

  /** Stores the descriptor of something that a function releases; resolves with what does so. */
  async hold(name: string, descriptor: unknown, release: Release): Promise<() => Promise<void>> {
    await this.#releaseLeft(name, release);
    const body = encode(descriptor, described(name));
    const nth = (this.#uses.get(name) ?? 0) + 1;
    this.#uses.set(name, nth);
    const key = nth === 1 ? `${HELD}${name}` : `${HELD}${name}${NTH}${nth}`;
    await this.#host.saveStep(key, `[${body}]`);
    return async () => {
      await release(descriptor as never);
      await this.#host.saveStep(key, RELEASED);
    };
  }

  /** Stores a twin that releases something; what an earlier attempt left to a function gets one too. */
  async twin(name: string, descriptor: unknown, plan: PlanNode): Promise<void> {
    await this.#releaseLeft(name, (left: Json) => this.#register(name, stringify(left), plan));
    await this.#register(name, encode(descriptor, described(name)), plan);
  }

  #register(name: string, descriptor: string, plan: PlanNode): Promise<void> {
    // A name is a label, a descriptor may be as long as any payload.
    const mark = `${TWIN}${name}${NTH}${createHash("sha256").update(descriptor).digest("hex")}`;
    // Steps go on through an interrupt, twins have run then.
    if (this.#notes?.steps.get(mark) === String(this.#generation)) return Promise.resolve();
    let registered = this.#twins.get(mark);
    if (registered === undefined) {
      registered = this.#host.saveTwin(mark, { plan: JSON.stringify(plan), descriptor });
      this.#twins.set(mark, registered);
      // What was refused may be tried again.
      registered.catch(() => void this.#twins.delete(mark));
    }
    return registered;
  }

  async #releaseLeft(name: string, release: Release): Promise<void> {
    this.#left ??= leftIn(this.#notes);
    const left = this.#left.get(name);
    if (left === undefined) return;
    left.under ??= this.#releaseAll(left, release).finally(() => (left.under = null));
    await left.under;
  }

  async #releaseAll({ held }: Left, release: Release): Promise<void> {
    for (let [first] = held; first !== undefined; [first] = held) {
      await release(first.descriptor as never);
      await this.#host.saveStep(first.key, RELEASED);
      held.shift();
    }
  }
}

function described(name: string): string {
  return `the descriptor of ${JSON.stringify(name)}`;
}

function leftIn(notes: Notes | null): Map<string, Left> {
  const left = new Map<string, Left>();
  for (const [key, body] of notes?.steps ?? []) {
    if (!key.startsWith(HELD)) continue;
    const [name = ""] = key.slice(HELD.length).split(NTH);
    const under = left.get(name) ?? { held: [], under: null };
    left.set(name, under);
    for (const descriptor of decode(body) as Json[]) under.held.push({ key, descriptor });
  }
  return left;
}
