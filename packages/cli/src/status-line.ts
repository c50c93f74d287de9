/** What a status line needs of a stream of the process. */
export interface Terminal {
  readonly isTTY?: boolean;
  write: typeof process.stderr.write;
}

const ERASE = "\r\u001b[K";
/** A line that is wider than the terminal is cut by it. Set and undone in one write, so that no exit can come in between. */
const unwrapped = (text: string): string => `\u001b[?7l${text}\u001b[?7h`;

/**
 * One line at the bottom of a terminal that is drawn anew in place, the first of `terminals` being the one that it is drawn on. While
 * it is up, whatever else is written to them comes above it, and it waits while somebody has written half a line. It changes
 * no mode of the terminal, so a process that is killed leaves nothing to restore.
 */
export class StatusLine {
  readonly #draw: (text: string) => void;
  readonly #leave: (() => void)[] = [];
  #text = "";
  #drawn = false;
  #halfLine = false;

  constructor(terminals: readonly [Terminal, ...Terminal[]] = [process.stderr, process.stdout]) {
    const { write } = terminals[0];
    this.#draw = (text) => void write.call(terminals[0], text);
    for (const terminal of terminals) if (terminal.isTTY === true) this.#stayBelow(terminal);
    const erase = (): void => this.#erase();
    process.once("exit", erase);
    this.#leave.push(() => process.off("exit", erase));
  }

  show(text: string): void {
    this.#text = text;
    if (this.#halfLine) return;
    this.#draw(`${ERASE}${unwrapped(text)}`);
    this.#drawn = true;
  }

  /** Takes the line away. Ending again changes nothing. */
  end(): void {
    this.#erase();
    this.#text = "";
    for (const leave of this.#leave.splice(0)) leave();
  }

  #erase(): void {
    if (this.#drawn) this.#draw(ERASE);
    this.#drawn = false;
  }

  #stayBelow(terminal: Terminal): void {
    const { write } = terminal;
    const above = (chunk: string | Uint8Array, ...rest: never[]): boolean => {
      this.#erase();
      const room = write.call(terminal, chunk, ...rest);
      if (chunk.length > 0) this.#halfLine = chunk.at(-1) !== "\n" && chunk.at(-1) !== 10;
      if (this.#text !== "") this.show(this.#text);
      return room;
    };
    terminal.write = above;
    // Somebody may have put a wrapper of their own around this one, which must stay.
    this.#leave.push(() => {
      if (terminal.write === above) terminal.write = write;
    });
  }
}
