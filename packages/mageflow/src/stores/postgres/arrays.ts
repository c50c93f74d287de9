/**
 * Arrays of values as PostgreSQL reads them fastest, in its binary format: rows are written by one statement, a column of all of
 * them as one parameter. The format is that of `array_recv`: dimensions, whether there are nulls, type of the elements, length,
 * lower bound; then each element behind its length in bytes.
 */

/** Types of elements by their number in the catalogue `pg_type`. */
const TYPES = { bool: 16, int8: 20, int4: 23, text: 25 } as const;

export type ColumnType = keyof typeof TYPES;

const HEAD = 20;
const NULL = -1;

export function arrayOf(type: ColumnType, values: readonly unknown[]): Buffer {
  switch (type) {
    case "text":
      return textArray(values as readonly (string | null)[]);
    case "int4":
      return sized("int4", values, 4, (bytes, at, value) => void bytes.writeInt32BE(value as number, at));
    case "int8":
      return sized("int8", values, 8, (bytes, at, value) => writeInt64(bytes, at, value as number));
    case "bool":
      return sized("bool", values, 1, (bytes, at, value) => void (bytes[at] = value === true ? 1 : 0));
  }
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let size = HEAD + 4 * values.length;
  for (const value of values) if (value !== null) size += Buffer.byteLength(value);
  const bytes = Buffer.allocUnsafe(size);
  let at = writeHead(bytes, "text", values.length);
  for (const value of values) {
    const length = value === null ? 0 : bytes.write(value, at + 4);
    bytes.writeInt32BE(value === null ? NULL : length, at);
    at += 4 + length;
  }
  return bytes;
}

function sized(
  type: ColumnType,
  values: readonly unknown[],
  size: number,
  write: (bytes: Buffer, at: number, value: unknown) => void,
): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + (4 + size) * values.length);
  let at = writeHead(bytes, type, values.length);
  for (const value of values) {
    bytes.writeInt32BE(value === null ? NULL : size, at);
    at += 4;
    if (value === null) continue;
    write(bytes, at, value);
    at += size;
  }
  return bytes.subarray(0, at);
}

/** An array of no elements has no dimensions, but may say that it has one of length 0. */
function writeHead(bytes: Buffer, type: ColumnType, length: number): number {
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(TYPES[type], 8);
  bytes.writeInt32BE(length, 12);
  bytes.writeInt32BE(1, 16);
  return HEAD;
}

/** Whole numbers that a double holds exactly, in two halves. */
function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 2 ** 32), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
