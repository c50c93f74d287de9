import type { Witness } from "./history.ts";

/** After the storm nothing is quiet for as long as this (ms) while it is not settled: many leases of 1 s. */
const QUIET_MS = 15_000;
/** Nor goes on for as long as this (ms), on however busy a machine. */
const LONGEST_MS = 180_000;

/** Tells what is stuck from what is slow: by whether anything at all goes on in the store. */
export class Patience {
  readonly #witness: Witness;
  readonly #began = performance.now();
  #seq = -1;
  #moved = 0;

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  async isOver(): Promise<boolean> {
    const seq = await this.#witness.seq();
    const now = performance.now();
    if (seq !== this.#seq) {
      this.#seq = seq;
      this.#moved = now;
    }
    return now - this.#moved > QUIET_MS || now - this.#began > LONGEST_MS;
  }
}
