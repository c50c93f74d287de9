/** The store's time: whole milliseconds of a clock, which never go back in this process when the clock does. */
export class StoreTime {
  readonly #clock: () => number;
  #last = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  now(): number {
    this.#last = Math.max(this.#last, Math.floor(this.#clock()));
    return this.#last;
  }
}
