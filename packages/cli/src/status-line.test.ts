import { expect, test } from "vitest";
import { StatusLine, type Terminal } from "./status-line.ts";

/** A screen of endless width that knows what the line needs: line breaks, carriage returns, erasing. */
class Screen {
  readonly modes: string[] = [];
  #lines = [""];
  #column = 0;

  terminal(): Terminal {
    return {
      isTTY: true,
      write: (chunk: string | Uint8Array) => {
        this.#print(String(chunk));
        return true;
      },
    };
  }

  get text(): string {
    return this.#lines.join("\n");
  }

  #print(text: string): void {
    // oxlint-disable-next-line no-control-regex -- they are what this is about
    for (const [part] of text.matchAll(/\u001b\[\?\d+[hl]|\u001b\[K|\r|\n|[^\u001b\r\n]+/g)) {
      const line = this.#lines.length - 1;
      if (part === "\n") this.#lines.push("");
      if (part === "\r" || part === "\n") this.#column = 0;
      else if (part === "\u001b[K") this.#lines[line] = this.#lines[line]!.slice(0, this.#column);
      else if (part.startsWith("\u001b[?")) this.modes.push(part.slice(3));
      else {
        this.#lines[line] = this.#lines[line]!.slice(0, this.#column) + part;
        this.#column += part.length;
      }
    }
  }
}

test("what others write comes above the line", () => {
  const screen = new Screen();
  const stderr = screen.terminal();
  const stdout = screen.terminal();
  const line = new StatusLine([stderr, stdout]);
  line.show("1 of 3");
  stdout.write("one\n");
  stderr.write(Buffer.from("two\n"));
  expect(screen.text).toBe("one\ntwo\n1 of 3");
  line.show("2 of 3");
  expect(screen.text).toBe("one\ntwo\n2 of 3");
  line.end();
  stdout.write("three\n");
  expect(screen.text).toBe("one\ntwo\nthree\n");
});

test("it waits for the end of a line that somebody has begun", () => {
  const screen = new Screen();
  const terminal = screen.terminal();
  const line = new StatusLine([terminal]);
  terminal.write("half");
  line.show("1 of 3");
  expect(screen.text).toBe("half");
  terminal.write(" a line\n");
  expect(screen.text).toBe("half a line\n1 of 3");
  line.end();
});

test("no mode of the terminal is left changed by any write, and its own writers come back", () => {
  const screen = new Screen();
  const terminal = screen.terminal();
  const { write } = terminal;
  const line = new StatusLine([terminal]);
  line.show("x".repeat(500));
  expect(screen.modes).toEqual(["7l", "7h"]);
  line.end();
  line.end();
  expect(terminal.write).toBe(write);
});

test("what is no terminal is left alone", () => {
  const screen = new Screen();
  const pipe = { ...new Screen().terminal(), isTTY: false };
  const { write } = pipe;
  const line = new StatusLine([screen.terminal(), pipe]);
  expect(pipe.write).toBe(write);
  line.end();
});
