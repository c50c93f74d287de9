import type { Command } from "commander";
import { action } from "../action.ts";
import { CommandError, EXIT_CODES } from "../exit-codes.ts";
import { nearest } from "../nearest.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";

const EXIT_CODE_TOPIC = "exit-codes";

export function addHelp(program: Command): void {
  program
    .command("help")
    .argument("[topic]", "a command, or `exit-codes`")
    .summary("explain a command, or the exit codes")
    .action(
      action<[string | undefined]>(async ([topic], { json }) => {
        if (topic === EXIT_CODE_TOPIC) {
          if (json) printJson({ exitCodes: EXIT_CODES });
          else for (const line of table(["CODE", "MEANING", "ERRORS"], exitCodeRows())) print(line);
          return 0;
        }
        const command = topic === undefined ? program : program.commands.find((one) => one.name() === topic);
        if (command === undefined) {
          const near = nearest(topic!, [EXIT_CODE_TOPIC, ...program.commands.map((one) => one.name())]);
          throw new CommandError(
            "USAGE",
            `there is no help on '${topic}'${near === null ? "" : `; did you mean ${near}?`}`,
            "`npx mageflow help` lists all commands",
          );
        }
        command.outputHelp();
        return 0;
      }),
    );
}

function exitCodeRows(): string[][] {
  return EXIT_CODES.map(({ code, meaning, errors }) => [String(code), meaning, wrapped(errors)]);
}

function wrapped(errors: readonly string[]): string {
  const lines: string[] = [];
  for (const error of errors) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + error.length < 50) lines[lines.length - 1] = `${last}, ${error}`;
    else lines.push(error);
  }
  return lines.join(",\n");
}
