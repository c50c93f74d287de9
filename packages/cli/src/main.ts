import { typedValue } from "./command-line.ts";
import { EXIT } from "./exit-codes.ts";
import { tellLibraryWarnings } from "./library-warnings.ts";
import { endWithReader, flushed } from "./output.ts";
import { buildProgram, printAsked } from "./program.ts";
import { reportError } from "./report-error.ts";

endWithReader();
const given = process.argv.slice(2);
// What is behind -- is for another command.
const own = given.includes("--") ? given.slice(0, given.indexOf("--")) : given;
const json = own.includes("--json");
const verbose = own.includes("--verbose");
tellLibraryWarnings({ json, verbose });
const program = buildProgram(json);
try {
  if (given.length === 0) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else {
    await program.parseAsync(given, { from: "user" });
  }
} catch (error) {
  if (json) printAsked(program, error, own);
  // Read from the arguments themselves: an error of the options comes before there are any.
  process.exitCode = reportError(error, {
    json,
    verbose,
    store: typedValue(own, "--store"),
    cache: typedValue(own, "--cache"),
  });
}
await flushed();
// A user's module may have left timers or connections behind.
process.exit();
