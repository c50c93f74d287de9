import { MageFlowError } from "../../core/errors.ts";
import { Run } from "../run.ts";

/** Methods whose arguments and results are data. */
const DATA: ReadonlySet<PropertyKey> = new Set<keyof Run>([
  "result",
  "settled",
  "status",
  "counts",
  "view",
  "children",
  "callbacks",
  "logs",
  "start",
  "suspend",
  "resume",
  "interrupt",
  "rerun",
  "delete",
  "restore",
  "extend",
  "purgeNow",
  "close",
]);

/** The handle that `ctx.run` gives in an isolate: its methods are carried out by the worker, as far as data is all that they need. */
export function distantRun(
  id: string,
  call: (method: string, given: readonly unknown[]) => Promise<unknown>,
): Run {
  return new Proxy(Object.create(Run.prototype) as Run, {
    get: (target, name) => {
      if (name === "id") return id;
      const isMethod = typeof name === "string" && name in Run.prototype && !(name in Object.prototype);
      if (!isMethod) return Reflect.get(target, name) as unknown;
      return DATA.has(name) ? (...given: readonly unknown[]) => call(name, given) : missing(name);
    },
  });
}

function missing(name: string): () => never {
  return () => {
    throw new MageFlowError(
      "ISOLATED",
      `${name}() of a run cannot be used in a thread or process of its own: what it gives is more than data; use it in a task that runs inline`,
    );
  };
}
