import type { Deed } from "./recording.ts";

/** What a disk writes whole. */
const SECTOR = 512;

/** A file in memory, to which the changes of a recording are made one after the other. */
export class FileContent {
  #room = Buffer.alloc(1 << 16);
  #size = 0;

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  /** `takes` is asked for each sector of a write, and once for a cut. */
  change(change: Extract<Deed, { what: "write" | "cut" }>, takes: () => boolean = () => true): void {
    if (change.what === "cut") {
      if (takes()) this.#resize(change.size);
      return;
    }
    const { offset, data } = change;
    for (let from = 0; from < data.length;) {
      const to = Math.min(data.length, from + SECTOR - ((offset + from) % SECTOR));
      if (takes()) {
        this.#resize(Math.max(this.#size, offset + to));
        data.copy(this.#room, offset + from, from, to);
      }
      from = to;
    }
  }

  /** What is new is zero, as it is in a file. */
  #resize(size: number): void {
    if (size > this.#room.length) {
      const room = Buffer.alloc(2 * size);
      this.bytes.copy(room);
      this.#room = room;
    }
    if (size < this.#size) this.#room.fill(0, size, this.#size);
    this.#size = size;
  }
}
