/** Something that task code waits for until the test opens it. */
export interface Gate {
  readonly opened: Promise<void>;
  /** Resolves when somebody waits at the gate. */
  readonly reached: Promise<void>;
  readonly open: () => void;
  readonly wait: () => Promise<void>;
}

export function gate(): Gate {
  const way = Promise.withResolvers<void>();
  const arrival = Promise.withResolvers<void>();
  return {
    opened: way.promise,
    reached: arrival.promise,
    open: () => way.resolve(),
    wait: () => {
      arrival.resolve();
      return way.promise;
    },
  };
}
