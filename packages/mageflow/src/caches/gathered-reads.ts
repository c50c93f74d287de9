import type { SignatureRecord } from "../core/record.ts";

interface Asked {
  readonly ids: readonly string[];
  readonly resolve: (records: SignatureRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Records asked for by one query. */
const MOST = 500;

/** Asks the store for all that was asked for while the last question was under way, by one: who asks sees what was committed before. */
export class GatheredReads {
  readonly #get: (ids: readonly string[]) => Promise<SignatureRecord[]>;
  #waiting: Asked[] = [];
  #isAsking = false;

  constructor(get: (ids: readonly string[]) => Promise<SignatureRecord[]>) {
    this.#get = get;
  }

  get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ids, resolve, reject });
      if (!this.#isAsking) void this.#askAll();
    });
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) await this.#ask(this.#next());
    this.#isAsking = false;
  }

  #next(): Asked[] {
    let size = 0;
    let count = 0;
    for (const { ids } of this.#waiting) {
      size += ids.length;
      if (count > 0 && size > MOST) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #ask(asked: readonly Asked[]): Promise<void> {
    try {
      const records = await this.#get([...new Set(asked.flatMap(({ ids }) => ids))]);
      const found = new Map(records.map((record) => [record.id, record]));
      for (const { ids, resolve } of asked) resolve(ids.flatMap((id) => found.get(id) ?? []));
    } catch (error) {
      // What one of them cannot read is not the others' error.
      if (asked.length > 1) for (const one of asked) await this.#ask([one]);
      else asked[0]!.reject(error);
    }
  }
}
