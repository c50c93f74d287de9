export interface Faults {
  /** Puts what a connection threw into the words of the port; anything else comes back as it is. */
  readonly explain: (error: unknown) => unknown;
  /** True for what the server or a connection to it threw. */
  readonly isAnswer: (error: unknown) => boolean;
}

/** What a transaction asks of its server, as far as it goes wrong: after a failure nothing more is asked, and nothing is kept. */
export class Statements {
  readonly #explain: Faults["explain"];
  readonly #isAnswer: Faults["isAnswer"];
  /** Answers to what has been sent. */
  readonly #sent: Promise<void>[] = [];
  /** The first error: what follows it only says that there was one. */
  #failure: { readonly error: unknown } | null = null;
  #isOver = false;

  constructor({ explain, isAnswer }: Faults) {
    this.#explain = explain;
    this.#isAnswer = isAnswer;
  }

  /** From here on nothing can be asked. */
  end(): void {
    this.#isOver = true;
  }

  /** Throws when a statement is known to have failed, also when that was caught: what came before it is not to be kept alone. */
  check(): void {
    if (this.#failure !== null) throw this.#explain(this.#failure.error);
  }

  /** Waits for the answers to all that was sent; returns the first failure as the connection threw it, or null. */
  async failure(): Promise<{ readonly error: unknown } | null> {
    await Promise.all(this.#sent);
    return this.#failure;
  }

  /** What is not waited for: its failure is told by the commit, or by what is asked next. */
  send(answers: readonly Promise<unknown>[]): void {
    for (const answer of answers) {
      this.#sent.push(
        answer.then(
          () => {},
          (error: unknown) => this.#fail(error),
        ),
      );
    }
  }

  async ask<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#isOver) throw new Error("the transaction is over: something it started was not awaited");
    this.check();
    try {
      return await work();
    } catch (error) {
      // What was sent before it may be what failed.
      if (this.#isAnswer(error)) await Promise.all(this.#sent);
      this.#fail(error);
      throw this.#explain(this.#failure!.error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }
}
