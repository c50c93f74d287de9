import fc from "fast-check";
import { MageFlow, PayloadError } from "mageflow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ANYTHING, ODD } from "./hostile-values.ts";
import { type Folder, folder } from "./program.ts";

/** What became of a value at one door: what came out on the other side, or the refusal. */
type Passage = { readonly got: unknown } | { readonly refused: string };

/** The doors that a value can go through, in one workflow. */
interface Passages {
  input: Passage;
  step: Passage;
  checkpoint: Passage;
  result: Passage;
  causeInput: Passage;
  causeResult: Passage;
}

/** One store with tasks that carry values through each door. */
class Doors {
  readonly mage: MageFlow;
  /** Values for tasks that make them themselves, by number. */
  readonly #values = new Map<number, unknown>();
  readonly #seen = new Map<number, Partial<Passages>>();
  readonly #carry;
  readonly #make;
  readonly #heard;
  #next = 0;

  constructor(store: string) {
    this.mage = new MageFlow({ store });
    // The first attempt saves, the second finds what was saved.
    const retry = { attempts: 2, backoff: { type: "fixed", delay: 0, jitter: "none" } } as const;
    this.#carry = this.mage.task("carry", ({ n, payload }: { n: number; payload?: unknown }) => {
      this.#note(n).input = { got: payload };
    });
    this.#make = this.mage.task("make", { retry }, async ({ n }: { n: number }, ctx) => {
      const payload = this.#values.get(n);
      const seen = this.#note(n);
      const step = await passage(async () => payloadOf(await ctx.step("step", () => ({ payload }))));
      if (ctx.attempt === 1) {
        seen.checkpoint = await passage(() => ctx.checkpoint({ payload }));
        throw new Error("once more");
      }
      seen.step = step;
      if ("got" in seen.checkpoint!) seen.checkpoint = { got: payloadOf(ctx.checkpointed) };
      return { payload };
    });
    this.#heard = this.mage.task("heard", (_input: unknown, { cause }) => {
      const { n } = (cause!.name === "carry" ? cause!.input : (cause!.input as { n: number })) as {
        n: number;
      };
      if (cause!.name === "carry") this.#note(n).causeInput = { got: payloadOf(cause!.input) };
      else this.#note(n).causeResult = { got: payloadOf(cause!.result!) };
    });
  }

  async through(payload: unknown): Promise<Passages> {
    const n = this.#next++;
    this.#values.set(n, payload);
    const carried = async (): Promise<void> => {
      const sent = await passage(() => this.mage.run(this.#carry.onSuccess(this.#heard), { n, payload }));
      if ("refused" in sent) this.#note(n).input = this.#note(n).causeInput = sent;
      else await (sent.got as { settled(): Promise<unknown> }).settled();
    };
    const made = async (): Promise<void> => {
      const run = await this.mage.run(this.#make.with({ n }).onSuccess(this.#heard));
      const { status, result, error } = await run.settled();
      const passed = status === "SUCCEEDED" ? { got: payloadOf(result) } : { refused: error!.message };
      if ("refused" in passed) {
        if (error!.code !== "PAYLOAD" || error!.attempts !== 2) throw new Error(`failed with ${error!.code}`);
        this.#note(n).causeResult = passed;
      }
      this.#note(n).result = passed;
    };
    await Promise.all([carried(), made()]);
    this.#values.delete(n);
    const seen = this.#note(n);
    this.#seen.delete(n);
    return seen as Passages;
  }

  #note(n: number): Partial<Passages> {
    let seen = this.#seen.get(n);
    if (seen === undefined) this.#seen.set(n, (seen = {}));
    return seen;
  }
}

function payloadOf(value: unknown): unknown {
  return (value as { payload?: unknown }).payload;
}

/** A refusal is a `PayloadError` whose path leads to the value; anything else that is thrown is a bug. */
async function passage(work: () => unknown): Promise<Passage> {
  try {
    return { got: await work() };
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    // A text that is too long is the whole's fault.
    const leads = error.message.includes("bytes of JSON") || error.path.includes("payload");
    if (!leads || !error.message.includes(error.path)) throw new Error(`a bad path: ${error.message}`);
    return { refused: error.message };
  }
}

const DOORS = ["causeInput", "causeResult", "checkpoint", "input", "result", "step"] as const;

/** All doors agree whether they take a value, and none changes it. */
function judge(sent: unknown, refused: boolean, passages: Passages): string[] {
  return DOORS.flatMap((door) => {
    const passed = passages[door];
    if (passed === undefined) return [`nothing came out of ${door}`];
    if ("refused" in passed) return refused ? [] : [`${door} refuses what input takes: ${passed.refused}`];
    if (refused) return [`${door} takes what input refuses`];
    return same(sent, passed.got) ? [] : [`${door} has changed the value`];
  });
}

/** Equal as data: -0 is not 0, the order of keys counts, and a property that is undefined is not there. */
function same(sent: unknown, got: unknown): boolean {
  if (typeof sent !== "object" || sent === null) return Object.is(sent, got);
  if (typeof got !== "object" || got === null || Array.isArray(sent) !== Array.isArray(got)) return false;
  const keys = Object.keys(sent).filter((key) => (sent as Record<string, unknown>)[key] !== undefined);
  const others = Object.keys(got);
  return (
    keys.length === others.length &&
    keys.every((key, i) => key === others[i] && same((sent as never)[key], (got as never)[key]))
  );
}

describe("any value comes out as it went in, or is refused by its path", () => {
  let place: Folder;
  let stores: [Doors, Doors];

  beforeAll(async () => {
    place = folder();
    stores = [new Doors("memory:"), new Doors(place.store)];
    for (const { mage } of stores) await mage.worker();
  });
  afterAll(async () => {
    for (const { mage } of stores) await mage.close();
    place[Symbol.dispose]();
  });

  /** Sends a value through every door of both stores. */
  async function send(sent: unknown): Promise<{ refused: boolean; wrong: string[] }> {
    const [memory, sqlite] = await Promise.all(stores.map((doors) => doors.through(sent)));
    const refused = "refused" in memory!.input;
    const wrong = [...judge(sent, refused, memory!), ...judge(sent, refused, sqlite!)];
    if (({} as { polluted?: unknown }).polluted !== undefined) wrong.push("Object.prototype is polluted");
    return { refused, wrong };
  }

  test("drawn values", async () => {
    const seen = { carried: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(ANYTHING, async (sent) => {
        const { refused, wrong } = await send(sent);
        expect(wrong).toEqual([]);
        seen[refused ? "refused" : "carried"]++;
      }),
      { numRuns: 300, seed: 41 },
    );
    // Both kinds were drawn often.
    expect(seen.carried).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(20);
  });

  test.each(ODD.map((make, i) => [i, make] as const))("odd value %i", async (_i, make) => {
    expect((await send(make())).wrong).toEqual([]);
  });
});
