import { typedValue } from "./command-line.ts";
import { EXIT } from "./exit-codes.ts";
import { endWithReader, flushed } from "./output.ts";
import { buildProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

endWithReader();
const given = process.argv.slice(2);
try {
  const program = buildProgram();
  if (given.length === 0) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else {
    await program.parseAsync(given, { from: "user" });
  }
} catch (error) {
  // Read from the arguments themselves: an error of the options comes before there are any.
  process.exitCode = reportError(error, {
    json: given.includes("--json"),
    verbose: given.includes("--verbose"),
    store: typedValue(given, "--store"),
  });
}
await flushed();
// A user's module may have left timers or connections behind.
process.exit();
