import type { Command } from "commander";
import { action } from "../action.ts";
import { CommandError, EXIT_CODES } from "../exit-codes.ts";
import { nearest } from "../nearest.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";

/** Two such columns, that of the codes and the gaps fit into 80. */
const CELL_CHARS = 34;
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
          else for (const line of exitCodeLines()) print(line);
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
        if (json) printJson(helpObject(command));
        else command.outputHelp();
        return 0;
      }),
    );
}

/** The same as the help text, for programs. */
export function helpObject(command: Command): object {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  return {
    name: command.name(),
    description: command.description(),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
    })),
    options: options.map(({ flags, description, defaultValue = null }) => ({
      flags,
      description,
      default: defaultValue as unknown,
    })),
    commands: help.visibleCommands(command).map((one) => ({ name: one.name(), summary: one.summary() })),
  };
}

function exitCodeLines(): string[] {
  return table([
    { title: "CODE", cells: EXIT_CODES.map(({ code }) => String(code)) },
    { title: "MEANING", cells: EXIT_CODES.map(({ meaning }) => wrapped(meaning.split(" "), " ")) },
    { title: "ERRORS", cells: EXIT_CODES.map(({ errors }) => wrapped(errors, ", ")) },
  ]);
}

function wrapped(words: readonly string[], between: string): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && `${last}${between}${word}`.length <= CELL_CHARS) {
      lines[lines.length - 1] = `${last}${between}${word}`;
    } else lines.push(word);
  }
  return lines.join(`${between.trimEnd()}\n`);
}
