/** What a worker and its isolate say to each other. Whatever else the task's code sends by the same line is not for us. */
export interface Wrapped<T> {
  readonly mageflow: T;
}

/** What is ours of something that was heard, or null. */
export function unwrapped<T>(heard: unknown): T | null {
  const isOurs = typeof heard === "object" && heard !== null && "mageflow" in heard;
  return isOurs ? (heard as Wrapped<T>).mageflow : null;
}
