import { expect, test } from "vitest";
import { type AutoResumeOptions, MageFlow } from "../../src/index.ts";

test.for<[options: unknown, message: string]>([
  [null, "the options of autoResume are null; give an object"],
  [{ enable: true }, 'autoResume has no option "enable"; it has enabled, only, except, stagger'],
  [{ enabled: 1 }, "autoResume.enabled is 1; give true or false"],
  [{ only: "work" }, 'autoResume.only is "work"; give an array of names of tasks'],
  [{ except: [1] }, "autoResume.except has 1; give names of tasks"],
  [{ stagger: 5 }, "the options of autoResume.stagger are 5; give an object"],
  [{ stagger: {} }, "autoResume.stagger has no perSecond"],
  [{ stagger: { perSecond: 0 } }, "autoResume.stagger.perSecond is 0; give a number"],
  [{ stagger: { perSecond: 1, jitter: "half" } }, 'jitter is "half"; give "full" or "none"'],
  [{ maxRecoveries: -1 }, "autoResume.maxRecoveries is -1; give a whole number from 0"],
  [{ validate: true }, "autoResume.validate is true; give a function"],
])("MageFlow refuses autoResume %j", ([autoResume, message]) => {
  expect(() => new MageFlow({ autoResume: autoResume as AutoResumeOptions })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
  expect(() => new MageFlow({ autoResume: autoResume as AutoResumeOptions })).toThrow(message);
});

test.for<[options: object, message: string]>([
  [{ autoResume: true }, 'the options of autoResume of task "t" are true; give an object'],
  [{ autoResume: { only: [] } }, 'autoResume of task "t" has no option "only"'],
  [{ autoResume: { perSecond: Number.NaN } }, 'autoResume of task "t": perSecond is NaN'],
  [{ autoResume: { maxRecoveries: 0.5 } }, 'autoResume of task "t": maxRecoveries is 0.5'],
  [{ autoResume: { maxRecoveries: 1 }, maxRecoveries: 1 }, 'task "t" has maxRecoveries twice'],
  [{ version: 1.5 }, 'the version of task "t" is 1.5; give a whole number, or a text of 1 to 256'],
  [{ version: "" }, 'the version of task "t" is ""; give a whole number, or a text of 1 to 256'],
  [{ autoResume: { compatible: 1 } }, 'autoResume of task "t": compatible is 1; give a function'],
  [{ maxRecoveries: "5" }, 'maxRecoveries of task "t" is "5"; give a whole number from 0'],
])("a task refuses %j", ([options, message]) => {
  expect(() => new MageFlow({ store: "memory:" }).task("t", options, () => 1)).toThrow(message);
});
