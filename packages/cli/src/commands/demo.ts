import type { Command } from "commander";
import { action } from "../action.ts";

interface DemoOptions {
  readonly output?: string;
}

export function addDemo(program: Command): void {
  program
    .command("demo")
    .summary("watch MageFlow at work on real data")
    .description("Runs a workflow over a data set that comes with the checkout, and shows what it does.")
    .option("-o, --output <directory>", "where to write what it makes")
    .action(
      action<[], DemoOptions>(async (_, { json, store, cache, output }) => {
        const { runDemo } = await import("../demo/demo.ts");
        return runDemo({ json, store, cache, output });
      }),
    );
}
