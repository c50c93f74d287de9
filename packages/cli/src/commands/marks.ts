import type { Command } from "commander";
import { commandLine } from "../command-line.ts";
import { type DeletionTime, deletionTime, withDeletionTime } from "../deletion-time.ts";
import { addVerb } from "../steered.ts";

const OF_A_WORKFLOW = "id of a workflow; it is deleted as a whole";
const OF_A_MARKED_ONE = "id of a workflow that is marked for deletion";

interface Kept {
  readonly reason?: string;
  readonly stub?: boolean;
}

export function addDelete(program: Command): void {
  addVerb<DeletionTime & Kept>(program, {
    verb: "delete",
    id: OF_A_WORKFLOW,
    summary: "mark a workflow to be removed later",
    about:
      "Marks a workflow: it is removed when its time has come and nothing of it is open. What runs goes on to its end, callbacks and cleanups " +
      "included; what has not started does not start. Until it is removed `restore` takes the mark away, and `rerun` begins it again.",
    options: (command) =>
      withDeletionTime(command)
        .option("-r, --reason <text>", "why, for those who ask for it later")
        .option("--stub", "keep how it went, without inputs, results and logs, for `show`"),
    apply: async (run, { reason, stub = false, store, cache, ...time }, before) => {
      await run.delete({ ...deletionTime(time), stub, ...(reason === undefined ? {} : { reason }) });
      const marked = before.deletion !== null;
      const given = { store, cache };
      const line = marked
        ? `it was marked before, and keeps its time: ${commandLine(["extend", run.id, "--after", "<duration>"], given)}`
        : `until then: ${commandLine(["restore", run.id], given)}`;
      return { fields: { marked: !marked }, lines: [line] };
    },
  });
}

export function addRestore(program: Command): void {
  addVerb(program, {
    verb: "restore",
    id: OF_A_MARKED_ONE,
    summary: "take the mark of deletion away",
    about:
      "Takes the mark of deletion away. What was to start meanwhile and did not, starts. Restoring what is not marked changes nothing.",
    apply: (run) => run.restore(),
  });
}

export function addExtend(program: Command): void {
  addVerb<DeletionTime>(program, {
    verb: "extend",
    id: OF_A_MARKED_ONE,
    summary: "move the time at which a marked workflow is removed",
    about:
      "Moves the time at which a workflow that is marked for deletion is removed, to later or to sooner.",
    options: withDeletionTime,
    apply: (run, time) => run.extend(deletionTime(time)),
  });
}
