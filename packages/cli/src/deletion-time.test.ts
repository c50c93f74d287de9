import { Command } from "commander";
import { expect, test } from "vitest";
import { type DeletionTime, deletionTime, withDeletionTime } from "./deletion-time.ts";

function parsed(...words: string[]): ReturnType<typeof deletionTime> {
  const command = withDeletionTime(new Command()).parse(words, { from: "user" });
  return deletionTime(command.opts<DeletionTime>());
}

test("a span or an instant, one of the two", () => {
  expect(parsed("--after", "7d")).toEqual({ after: "7d" });
  expect(parsed("--at", "2027-01-31T06:00+01:00")).toEqual({ at: new Date("2027-01-31T05:00Z") });
  const local = { at: "2027-01-31", timeZone: "Europe/London" };
  expect(parsed("--at", local.at, "--time-zone", local.timeZone)).toEqual(local);
  expect(() => parsed("--after", "7d", "--time-zone", "UTC")).toThrow("the same in every --time-zone");
  expect(() => parsed()).toThrow("it is not said when");
  expect(() => parsed("--at", "2027-01-31T06:00Z", "--after", "7d")).toThrow("both");
  for (const text of ["2027-01-31", "tomorrow", "2027-02-31T99:00", "0"])
    expect(() => parsed("--at", text)).toThrow("no instant");
});
