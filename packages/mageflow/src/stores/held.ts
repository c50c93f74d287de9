/** A connection to a server, as those see it who keep it. */
export interface Held {
  /** True when it can be used no more. */
  readonly lost: boolean;
  /** Lets go of the server in good manners. */
  close(): Promise<void>;
}
