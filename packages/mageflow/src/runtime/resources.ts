import { decode, encode, type Json } from "../core/payload.ts";
import type { Notes } from "../ports/store.ts";
import type { ContextHost } from "./context.ts";

/** Before the name of a resource, among the names of steps: a control character, which no name has. */
const HELD = "\u0001";
/** Between a name and the number of its use. */
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
 * The resources of one attempt, which functions release. The store keeps their descriptors for the next attempt, one for each use of a
 * name, so that using it again loses nothing.
 */
export class Resources {
  readonly #host: Pick<ContextHost, "saveStep">;
  readonly #notes: Notes | null;
  readonly #uses = new Map<string, number>();
  #left: Map<string, Left> | null = null;

  constructor(host: Pick<ContextHost, "saveStep">, notes: Notes | null) {
    this.#host = host;
    this.#notes = notes;
  }

  /** Stores the descriptor of something that a function releases; resolves with what does so. */
  async hold(name: string, descriptor: unknown, release: Release): Promise<() => Promise<void>> {
    await this.#releaseLeft(name, release);
    const body = encode(descriptor, `the descriptor of ${JSON.stringify(name)}`);
    const nth = (this.#uses.get(name) ?? 0) + 1;
    this.#uses.set(name, nth);
    const key = nth === 1 ? `${HELD}${name}` : `${HELD}${name}${NTH}${nth}`;
    await this.#host.saveStep(key, `[${body}]`);
    return async () => {
      await release(descriptor as never);
      await this.#host.saveStep(key, RELEASED);
    };
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
