import { registerHooks } from "node:module";
import { MUTANTS } from "./mutants.ts";

/**
 * Loaded with `--import` into a child process: plants the bug that MAGEFLOW_MUTANT names into the module as it is
 * loaded, so that nothing of it is in shipped code.
 */
const mutant = MUTANTS.find(({ name }) => name === process.env["MAGEFLOW_MUTANT"]);
if (mutant === undefined) throw new Error(`there is no mutant "${process.env["MAGEFLOW_MUTANT"]}"`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/packages/mageflow/src/${mutant.file}`)) return loaded;
    const source =
      typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
    const parts = source.split(mutant.find);
    if (parts.length !== 2) {
      throw new Error(
        `the mutant "${mutant.name}" finds its text ${parts.length - 1} times in ${mutant.file}; bring it up to date`,
      );
    }
    return { ...loaded, source: parts.join(mutant.replace) };
  },
});
