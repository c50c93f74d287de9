/** How many deliveries a worker takes: in all, and of each task. */
export class Room {
  readonly #concurrency: number;
  readonly #tasks = new Map<string, number>();
  readonly #held = new Map<string, number>();
  #all = 0;
  #wanting: (() => void)[] = [];
  #closed = false;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  add(task: string, most: number): void {
    this.#tasks.set(task, most);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  enter(task: string): void {
    this.#all++;
    this.#held.set(task, this.#of(task) + 1);
  }

  leave(task: string): void {
    this.#all--;
    this.#held.set(task, this.#of(task) - 1);
    this.#wake();
  }

  /** Whether one that has been answered may be followed by the next, in its place. */
  mayFollow(task: string): boolean {
    return !this.#closed && this.#all <= this.#concurrency && this.#of(task) <= this.#tasks.get(task)!;
  }

  /** Resolves when there is room for a task, true, or when nothing is taken any more. */
  async free(task: string): Promise<boolean> {
    while (!this.#closed && !(this.#all < this.#concurrency && this.#of(task) < this.#tasks.get(task)!)) {
      await new Promise<void>((wake) => this.#wanting.push(wake));
    }
    return !this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #of(task: string): number {
    return this.#held.get(task) ?? 0;
  }

  #wake(): void {
    const wanting = this.#wanting;
    this.#wanting = [];
    for (const wake of wanting) wake();
  }
}
