import type { MageFlow, Run, SignatureView } from "mageflow";
import type { Command } from "commander";
import { action, type Globals } from "./action.ts";
import { commandLine } from "./command-line.ts";
import { withStore } from "./open-store.ts";
import { print, printJson } from "./output.ts";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { statusNote } from "./status-note.ts";
import { underLock } from "./under-lock.ts";

/** What a verb has to say beside how the signature stands now. */
interface Told {
  /** More fields for programs. */
  readonly fields?: object;
  /** More lines for people. */
  readonly lines?: readonly string[];
}

/** A command that takes a signature and changes how it stands. */
export interface Verb<O> {
  readonly verb: string;
  readonly id?: string;
  readonly summary: string;
  readonly about: string;
  readonly options?: (command: Command) => Command;
  /** `before` is how it stood. */
  readonly apply: (run: Run, options: O & Globals, before: SignatureView) => Promise<Told | void>;
}

export function addVerb<O = unknown>(program: Command, verb: Verb<O>): void {
  const command = program
    .command(verb.verb)
    .argument("<id>", verb.id ?? "id of a workflow, or of a part of one")
    .summary(verb.summary)
    .description(verb.about);
  (verb.options?.(command) ?? command).action(
    action<[string], O>(async ([id], options) =>
      withStore(options.store, async (mage: MageFlow) => {
        const run = await mage.get(id, underLock());
        const told = await verb.apply(run, options, await run.view());
        await printSteered(run, options, told ?? {});
        return 0;
      }),
    ),
  );
}

async function printSteered(
  run: Run,
  { json, store, cache }: Globals,
  { fields = {}, lines = [] }: Told,
): Promise<void> {
  const [view, { heldBy }] = await Promise.all([run.view(), run.status()]);
  const { id, name, status, execution, generation, deletion, interrupted } = view;
  if (json) {
    printJson({ id, name, status, execution, generation, heldBy, deletion, interrupted, ...fields });
    return;
  }
  const note = statusNote(view, Date.now());
  print(
    `${paintStatus(status)}  ${clip(name, 100)}  ${clip(id, 400)}${note === "" ? "" : `  ${paint("dim", note)}`}`,
  );
  for (const line of lines) print(line);
  if (heldBy !== null)
    print(paint("dim", `held by what is around it: ${commandLine(["resume", heldBy], { store, cache })}`));
}
