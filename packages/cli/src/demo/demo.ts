import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MageFlow } from "mageflow";
import { commandLine, withoutPassword } from "../command-line.ts";
import { EXIT } from "../exit-codes.ts";
import { print, printJson } from "../output.ts";
import { onSignals } from "../signals.ts";
import { dataFiles } from "./flights.ts";
import { displayFor, follow } from "./progress.ts";
import { flightWorkflow, ON_PURPOSE } from "./stages.ts";
import { drawSummary, summarize } from "./summary.ts";

export interface DemoOptions {
  /** One JSON object as the last line of stdout, and nothing else. */
  json: boolean;
  /** The report's folder. Default: a new temporary one. */
  output: string | undefined;
  /** Default: a new SQLite file in a temporary folder. */
  store: string | undefined;
  /** Named again by the hint at the end; the command line has told the library. */
  cache: string | undefined;
}

/** Runs a workflow over 20,000 real flights, shows it, and gives the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const began = performance.now();
  const files = dataFiles();
  const { output, store, work } = await places(options);

  // An exit, unlike a signal, lets the bars leave the terminal as it was.
  onSignals({ gentle: () => process.exit(EXIT.interrupted) });
  await using mage = new MageFlow({ store });
  const workflow = flightWorkflow(mage, { ...files, work, output });
  await mage.worker();
  const run = await mage.run(workflow);
  const callbacks = await follow(mage, run, displayFor(options));
  const { status, result } = await run.settled();
  const summary = await summarize(mage, run, callbacks);

  const { tasks, failed } = summary;
  const seconds = Math.round(performance.now() - began) / 1000;
  const ok = status === "SUCCEEDED";
  const shown = withoutPassword(store);
  if (options.json) {
    printJson({ ok, id: run.id, store: shown, tasks, failed, seconds, report: result?.page });
  } else {
    for (const line of drawSummary(summary)) print(line);
    print(`${tasks} tasks in ${seconds} s, ${failed} of them failed: ${ON_PURPOSE}`);
    print(`report: ${result?.page ?? `none, the workflow is ${status}`}`);
    print(`store:  ${shown}`);
    if (store !== "memory:")
      print(`look at it again: ${commandLine(["show", run.id], { store, cache: options.cache })}`);
  }
  return ok ? EXIT.ok : EXIT.failed;
}

/** Where nothing is asked for, a new temporary folder. The working files lie beside the report, under a name of their own. */
async function places(options: DemoOptions): Promise<{ output: string; store: string; work: string }> {
  const given = options.output !== undefined && options.store !== undefined;
  const folder = given ? null : await mkdtemp(join(tmpdir(), "mageflow-demo-"));
  const output = resolve(options.output ?? join(folder!, "report"));
  await mkdir(output, { recursive: true });
  const store = options.store ?? `sqlite:${join(folder!, "mageflow.db")}`;
  return { output, store, work: await mkdtemp(join(output, ".work-")) };
}
