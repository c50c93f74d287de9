import type { MageFlow, Run, SignatureView } from "mageflow";
import { table } from "../table.ts";
import { everythingIn } from "./inside.ts";
import { effectSchema } from "./stages.ts";

/** What became of the tasks of one name. */
interface StageRow {
  name: string;
  tasks: number;
  succeeded: number;
  failed: number;
  skipped: number;
  retried: number;
  /** Milliseconds from its last start to its end. */
  median: number;
}

interface Fired {
  role: string;
  name: string;
  effect: string;
}

/** What a workflow did. `tasks` are those that ran to an end, callbacks included. */
export interface Summary {
  tasks: number;
  failed: number;
  stages: StageRow[];
  callbacks: Fired[];
  failures: string[];
}

export async function summarize(mage: MageFlow, run: Run, callbackIds: readonly string[]): Promise<Summary> {
  const inside = await everythingIn(mage, run.id);
  const callbacks = await Promise.all(callbackIds.map((id) => mage.get(id)));
  const views = await Promise.all(callbacks.map((callback) => callback.view()));
  const tasks = [...inside, ...views].filter(({ kind }) => kind === "task");
  const stages = [...Map.groupBy(tasks, ({ name }) => name)].map(([name, group]) => stageRow(name, group));
  return {
    tasks: sum(stages, ({ succeeded, failed }) => succeeded + failed),
    failed: sum(stages, ({ failed }) => failed),
    stages,
    callbacks: await Promise.all(
      callbacks.map(async (callback, index) => ({
        role: views[index]?.role ?? "",
        name: views[index]?.name ?? "",
        effect: effectOf(await callback.settled()),
      })),
    ),
    failures: tasks.flatMap(({ name, error }) =>
      error === null ? [] : `${name} failed after ${error.attempts} attempts: ${error.message}`,
    ),
  };
}

const COLUMNS = ["tasks", "succeeded", "failed", "skipped", "retried", "median"];

export function drawSummary({ stages, callbacks, failures }: Summary): string[] {
  const rows = stages.map(({ name, tasks, succeeded, failed, skipped, retried, median }) => [
    name,
    ...[tasks, succeeded, failed, skipped, retried, `${median} ms`].map((cell, column) =>
      String(cell).padStart(COLUMNS[column]?.length ?? 0),
    ),
  ]);
  const fired = [...Map.groupBy(callbacks, ({ role }) => role)].map(([role, all]) => `${all.length} ${role}`);
  return [
    ...table(["name", ...COLUMNS].map((title, at) => ({ title, cells: rows.map((row) => row[at]!) }))),
    "",
    ...failures,
    `callbacks: ${fired.join(", ")}`,
    ...callbacks.map(({ role, name, effect }) => `  ${role.padEnd(9)}  ${name}: ${effect}`),
    "",
  ];
}

function stageRow(name: string, tasks: readonly SignatureView[]): StageRow {
  const of = (status: SignatureView["execution"]): number =>
    tasks.filter((task) => task.execution === status).length;
  return {
    name,
    tasks: tasks.length,
    succeeded: of("SUCCEEDED"),
    failed: of("FAILED"),
    skipped: of("SKIPPED"),
    retried: tasks.filter(({ attempt }) => attempt > 1).length,
    median: median(
      tasks.flatMap(({ startedAt, finishedAt }) =>
        startedAt === null || finishedAt === null ? [] : finishedAt - startedAt,
      ),
    ),
  };
}

function effectOf(settled: { status: string; result?: unknown }): string {
  const told = effectSchema.safeParse(settled.result);
  return told.success ? told.data.effect : settled.status.toLowerCase();
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
