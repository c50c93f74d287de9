import { MageFlowError } from "mageflow";

/** However long the store is held by a frozen process. */
export async function insistently<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof MageFlowError) || error.code !== "STORE_BUSY") throw error;
    }
  }
}
