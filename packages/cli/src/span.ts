const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** A span for people, in its two largest units: `2d 3h`, `4m 10s`, `1.4s`, `12ms`. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole}ms`;
  if (whole < 10_000) return `${(Math.floor(whole / 100) / 10).toFixed(1)}s`;
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const [name, size] = UNITS[first]!;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1]);
  return `${Math.floor(whole / size)}${name}${rest > 0 ? ` ${rest}${next![0]}` : ""}`;
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
