const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** A span for people, in its two largest units, rounded to the smaller: `2d 3h`, `4m 10s`, `1.4s`, `12ms`. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole}ms`;
  const tenths = Math.round(whole / 100);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)}s`;
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const [name, size] = UNITS[first]!;
  const [nextName, nextSize] = UNITS[first + 1] ?? UNITS[first]!;
  const rounded = Math.round(whole / nextSize) * nextSize;
  const above = UNITS[first - 1];
  if (above !== undefined && rounded === above[1]) return `1${above[0]}`;
  const rest = (rounded % size) / nextSize;
  return `${Math.floor(rounded / size)}${name}${rest > 0 ? ` ${rest}${nextName}` : ""}`;
}

/** An instant for people, in UTC to the millisecond. */
export function instant(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace("T", " ");
}

/** A whole number for people: `1,000,000`. */
export function number(value: number): string {
  return value.toLocaleString("en-US");
}
