import { expect, test } from "vitest";
import { locate } from "./location.ts";

test("a URL says where to go, and its name says nothing secret", () => {
  const place = locate("mariadb://some%40body:se%2Fcret@[::1]:3307/flows?ssl=true");
  expect(place).toEqual({
    host: "::1",
    port: 3307,
    user: "some@body",
    password: "se/cret",
    database: "flows",
    tls: true,
    name: "MySQL at [::1]:3307, database flows",
  });
  expect(locate("mysql://host/flows")).toMatchObject({ host: "host", port: 3306, user: "", tls: false });
});

test.for([
  "postgres://host/flows",
  "mysql://host",
  "mysql:///flows",
  "mysql://host:port/flows",
  "mysql://user:%zz@host/flows",
  "mysql://host/flows?ssl=perhaps",
  "mysql://host/flows?compress=true",
])("what cannot be used is refused: %s", (url) => {
  expect(() => locate(url)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
