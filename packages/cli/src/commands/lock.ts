import type { Command } from "commander";
import type { Duration, MageFlow } from "mageflow";
import { action, duration } from "../action.ts";
import { commandLine } from "../command-line.ts";
import { EXIT } from "../exit-codes.ts";
import { hold } from "../hold.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { instant, span } from "../span.ts";
import { LOCK_VARIABLE, underLock } from "../under-lock.ts";

interface LockOptions {
  readonly for: Duration;
}

interface UnlockOptions {
  readonly token?: string;
  readonly force?: boolean;
  readonly reason?: string;
}

const OF_WHAT = "id of a workflow, or of a part of one";

export function addLock(program: Command): void {
  program
    .command("lock")
    .argument("<id>", OF_WHAT)
    .argument("[command...]", "what to run while the lock is held, behind --")
    .summary("keep others from steering it for a while")
    .description(
      "Keeps others from steering, editing and removing a workflow or a part of one, what is inside it, and what it stands in as far as that would " +
        "reach it. Work goes on. With a command the lock is held while that runs, given back at its end, and its exit code is that of the command; " +
        `mageflow commands in it act under the lock. Without, it is held for the time that is given, and whoever has its token in ${LOCK_VARIABLE} acts under it.`,
    )
    .option(
      "--for <duration>",
      "how long it is held; with a command, how long if this process is killed",
      duration,
      "30s",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  npx mageflow lock 01jd… --for 10m\n  npx mageflow lock 01jd… -- sh -c 'npx mageflow suspend 01jd… && ./repair.sh && npx mageflow resume 01jd…'",
    )
    .action(
      action<[string, string[]], LockOptions>(async ([id, words], { json, store, cache, for: time }) =>
        withStore(store, async (mage: MageFlow) => {
          const run = await mage.get(id, underLock());
          const lock = await run.lock({ for: time });
          const { name } = await run.view();
          const { token, until } = lock;
          if (words.length > 0) {
            const exitCode = await hold({ run, lock, time, words, json, store });
            // A removal may have waited for its end.
            await mage.reconcile();
            if (json) printJson({ id, name, token, exitCode });
            return exitCode;
          }
          if (json) printJson({ id, name, token, until });
          else {
            print(
              `${paint("yellow", "locked")}  ${clip(name, 100)}  ${clip(id, 400)}  until ${instant(until)} (in ${span(until - Date.now())})`,
            );
            print(paint("dim", `act under it: ${LOCK_VARIABLE}=${token} npx mageflow …`));
            const unlock = commandLine(["unlock", id, "--token", token], { store, cache });
            print(paint("dim", `give it back: ${unlock}`));
          }
          return EXIT.ok;
        }),
      ),
    );
}

export function addUnlock(program: Command): void {
  program
    .command("unlock")
    .argument("<id>", OF_WHAT)
    .summary("give a lock back, or take it away by force")
    .description(
      `Gives back the lock whose token is given, or is in ${LOCK_VARIABLE}. With --force it takes away whoever's lock there is on this very ` +
        "signature, which the audit trail tells. Unlocking what is not locked changes nothing.",
    )
    .option("--token <token>", "of the lock, as `lock` has printed it")
    .option("--force", "whoever holds it")
    .option("-r, --reason <text>", "why it is taken away, for the audit trail")
    .action(
      action<[string], UnlockOptions>(async ([id], { json, store, token, force = false, reason }) =>
        withStore(store, async (mage: MageFlow) => {
          const run = await mage.get(id, token === undefined ? underLock() : { lock: token });
          const { name, lock } = await run.view();
          await run.unlock({ force, ...(reason === undefined ? {} : { reason }) });
          const unlocked = lock !== null && (await run.view()).lock === null;
          await mage.reconcile();
          if (json) printJson({ id, name, unlocked });
          else
            print(
              `${paint("gray", unlocked ? "unlocked" : "not locked")}  ${clip(name, 100)}  ${clip(id, 400)}`,
            );
          return EXIT.ok;
        }),
      ),
    );
}
