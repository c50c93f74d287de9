import { describe, expect, test } from "vitest";
import { InvalidPlanError } from "../core/errors.ts";
import { type CalendarTime, calendarInstant } from "./calendar.ts";

async function iso(time: CalendarTime): Promise<string> {
  return new Date(await calendarInstant(time, "at")).toISOString();
}

describe("a local time in a zone", () => {
  test.for<[what: string, timeZone: string, at: string, instant: string]>([
    ["before the gap", "America/New_York", "2026-03-08T01:59:59", "2026-03-08T06:59:59.000Z"],
    [
      "in the gap, which moves it forward",
      "America/New_York",
      "2026-03-08T02:30",
      "2026-03-08T07:30:00.000Z",
    ],
    ["at the begin of the gap", "America/New_York", "2026-03-08 02:00:00", "2026-03-08T07:00:00.000Z"],
    ["behind the gap", "America/New_York", "2026-03-08T03:00", "2026-03-08T07:00:00.000Z"],
    ["that comes twice, the first", "America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00.000Z"],
    ["behind the overlap", "America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00.000Z"],
    ["in a gap of half an hour", "Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00.000Z"],
    ["behind a gap of half an hour", "Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30:00.000Z"],
    ["in an overlap of half an hour", "Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00.000Z"],
    ["behind that overlap", "Australia/Lord_Howe", "2026-04-05T02:00", "2026-04-04T15:30:00.000Z"],
    ["in London's gap", "Europe/London", "2026-03-29T01:30", "2026-03-29T01:30:00.000Z"],
    ["in London's overlap", "Europe/London", "2026-10-25T01:30", "2026-10-25T00:30:00.000Z"],
    ["in London's summer", "Europe/London", "2026-07-01T12:00:00.250", "2026-07-01T11:00:00.250Z"],
    ["a day, from its midnight on", "Europe/London", "2026-07-01", "2026-06-30T23:00:00.000Z"],
    ["a day without a midnight", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"],
    ["a leap day", "Asia/Tokyo", "2028-02-29T09:00", "2028-02-29T00:00:00.000Z"],
    ["in an overlap in ten years", "America/New_York", "2036-11-02T01:30", "2036-11-02T05:30:00.000Z"],
    ["in a gap in ten years", "America/New_York", "2036-03-09T02:30", "2036-03-09T07:30:00.000Z"],
    [
      "in a gap of a zone that changed its rules",
      "Europe/Moscow",
      "2011-03-27T02:30",
      "2011-03-26T23:30:00.000Z",
    ],
    ["a day that a zone left out", "Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00:00.000Z"],
    ["a far year", "America/New_York", "9999-07-01T00:00", "9999-07-01T04:00:00.000Z"],
    ["a year of six digits", "UTC", "+012026-01-01T00:00", "+012026-01-01T00:00:00.000Z"],
    ["long ago", "UTC", "1900-01-01", "1900-01-01T00:00:00.000Z"],
  ])("%s: %s %s", async ([, timeZone, at, instant]) => {
    expect(await iso({ at, timeZone })).toBe(instant);
  });
});

describe("an instant that needs no zone", () => {
  test.for<[at: CalendarTime["at"], instant: string]>([
    ["2026-03-08T02:30:00Z", "2026-03-08T02:30:00.000Z"],
    ["2026-03-08 02:30-05:00", "2026-03-08T07:30:00.000Z"],
    ["2028-02-29T00:00:00.5+05:30", "2028-02-28T18:30:00.500Z"],
    [new Date("2026-03-08T02:30:00Z"), "2026-03-08T02:30:00.000Z"],
    [0, "1970-01-01T00:00:00.000Z"],
  ])("%s", async ([at, instant]) => {
    expect(await iso({ at })).toBe(instant);
  });
});

describe("refuses", () => {
  const zoned = (at: string): CalendarTime => ({ at, timeZone: "Europe/London" });

  test.for<[time: unknown, message: string]>([
    [
      zoned("tomorrow"),
      'at is "tomorrow", which is no point in time; give a Date, whole epoch milliseconds, a text',
    ],
    [zoned(""), 'at is "", which is no point in time'],
    [zoned("2026-02-29"), 'at is "2026-02-29", which is no point in time'],
    [zoned("2026-13-01T00:00"), "which is no point in time"],
    [zoned("2026-01-01T24:00"), "which is no point in time"],
    [zoned("2026-01-01T00:00:60"), "which is no point in time"],
    [zoned("2026-01-01T00"), "which is no point in time"],
    [zoned("2026-01-01T00:00[Europe/London]"), "which is no point in time"],
    [zoned("+275761-01-01"), "which is no point in time"],
    [{ at: "2026-01-01Z" }, "which is no point in time"],
    [{ at: "2026-02-30T00:00Z" }, "which is no point in time"],
    [{ at: "2026-01-01T00:00+99:00" }, "which is no point in time"],
    [{ at: "2026-03-08T02:30" }, 'add a timeZone such as "Europe/London", or an offset such as "Z"'],
    [
      { at: "2026-01-01", timeZone: "Mars/Olympus" },
      'the timeZone of at is "Mars/Olympus", which is not known',
    ],
    [{ at: "2026-01-01", timeZone: "+01:00" }, "give an IANA zone"],
    [{ at: "2026-01-01", timeZone: 5 }, "the timeZone of at is 5"],
    [{ at: "2026-01-01", timeZone: "2026-01-01T00:00[Europe/London]" }, "which is not known"],
    [{ at: "2026-01-01T00:00Z", timeZone: "UTC" }, "leave the timeZone out"],
    [{ at: 0, timeZone: "UTC" }, "leave the timeZone out"],
    [{ at: null }, "at is null; give a Date"],
    [{ at: 0.5 }, "at is 0.5; give a Date"],
    [{}, "at is undefined; give a Date"],
  ])("%j", async ([time, message]) => {
    const refused = calendarInstant(time as CalendarTime, "at");
    await expect(refused).rejects.toThrow(InvalidPlanError);
    await expect(refused).rejects.toThrow(message);
  });
});
